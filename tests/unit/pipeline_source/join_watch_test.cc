#include "pipeline/source/join_watch.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

bool JoinsWithin(rd_kafka_t* client, const JoinWatch& watch, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!watch.joining() && absl::Now() < deadline) {
    const KafkaMessage message(rd_kafka_consumer_poll(client, 20));
  }
  return watch.joining();
}

TEST(JoinWatchTest, NoticesTheJoinAndForgetsItWhenTheAssignmentHasArrived) {
  MockKafka kafka;
  kafka.CreateTopic("t", 1);
  JoinWatch watch;
  const KafkaClient client = PlainConsumer(kafka, &watch);
  EXPECT_FALSE(watch.joining());
  const KafkaPartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), "t", RD_KAFKA_PARTITION_UA);
  ASSERT_EQ(rd_kafka_subscribe(client.get(), topics.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_TRUE(JoinsWithin(client.get(), watch, absl::Seconds(10)));
  watch.Settle();
  EXPECT_FALSE(watch.joining());
}

}  // namespace
}  // namespace caracal::pipeline
