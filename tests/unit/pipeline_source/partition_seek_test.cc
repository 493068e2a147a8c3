#include "pipeline/source/partition_seek.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

constexpr int kPartitions = 8;

KafkaPartitionList ThePartitions() {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(kPartitions));
  for (int32_t partition = 0; partition < kPartitions; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), "t", partition)->offset = 0;
  }
  return list;
}

TEST(PartitionSeek, IsNotOvertakenByAPause) {
  constexpr int kSeeks = 2'000;
  MockKafka kafka;
  kafka.CreateTopic("t", kPartitions);
  const KafkaClient client = PlainConsumer(kafka);
  ASSERT_EQ(rd_kafka_assign(client.get(), ThePartitions().get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  std::atomic<bool> ended{false};
  // As librdkafka does it around a rebalance.
  std::thread pauses([&client, &ended] {
    const KafkaPartitionList list = ThePartitions();
    while (!ended.load()) {
      rd_kafka_pause_partitions(client.get(), list.get());
      rd_kafka_resume_partitions(client.get(), list.get());
    }
  });
  int failed = 0;
  for (int i = 0; i < kSeeks; ++i) {
    failed += SeekPartitions(client.get(), ThePartitions()).ok() ? 0 : 1;
  }
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
