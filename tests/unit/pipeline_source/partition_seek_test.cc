#include "pipeline/source/partition_seek.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

KafkaPartitionList ThePartition() {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), "t", 0)->offset = 0;
  return list;
}

TEST(PartitionSeek, IsNotOvertakenByAPause) {
  constexpr int kSeeks = 20'000;
  MockKafka kafka;
  kafka.CreateTopic("t", 1);
  const KafkaClient client = PlainConsumer(kafka);
  ASSERT_EQ(rd_kafka_assign(client.get(), ThePartition().get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  std::atomic<bool> ended{false};
  // As librdkafka does it around a rebalance.
  std::thread pauses([&client, &ended] {
    const KafkaPartitionList list = ThePartition();
    while (!ended.load()) {
      rd_kafka_pause_partitions(client.get(), list.get());
      rd_kafka_resume_partitions(client.get(), list.get());
    }
  });
  int failed = 0;
  for (int i = 0; i < kSeeks; ++i) failed += SeekPartition(client.get(), "t", 0, 0).ok() ? 0 : 1;
  ended.store(true);
  pauses.join();
  EXPECT_EQ(failed, 0);
}

TEST(PartitionSeek, SaysWhatTheClientSays) {
  MockKafka kafka;
  kafka.CreateTopic("t", 1);
  const KafkaClient client = PlainConsumer(kafka);
  const absl::Status status = SeekPartition(client.get(), "t", 0, 7);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("seeking t [0] to 7"), std::string::npos) << status;
}

}  // namespace
}  // namespace caracal::pipeline
