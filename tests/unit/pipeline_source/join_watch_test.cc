#include "pipeline/source/join_watch.h"

#include <gtest/gtest.h>

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

/// Serves the client until the condition holds.
bool Await(rd_kafka_t* client, const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (!condition() && absl::Now() < deadline) {
    const KafkaMessage message(rd_kafka_consumer_poll(client, 20));
  }
  return condition();
}

class JoinWatchTest : public ::testing::Test {
 protected:
  JoinWatchTest() { kafka_.CreateTopic("t", 1); }

  void Subscribe() {
    const KafkaPartitionList topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), "t", RD_KAFKA_PARTITION_UA);
    ASSERT_EQ(rd_kafka_subscribe(client_.get(), topics.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  /// What TrySend says; whether it has called is checked.
  JoinWatch::Sent Try() {
    bool called = false;
    const JoinWatch::Sent sent = watch_.TrySend([&called] { called = true; });
    EXPECT_EQ(called, sent == JoinWatch::Sent::kYes);
    return sent;
  }

  MockKafka kafka_;
  JoinWatch watch_;
  KafkaClient client_ = PlainConsumer(kafka_, &watch_);
};

TEST_F(JoinWatchTest, NoticesTheJoinAndForgetsItWhenTheAssignmentHasArrived) {
  EXPECT_FALSE(watch_.joining());
  EXPECT_EQ(Try(), JoinWatch::Sent::kYes);
  Subscribe();
  EXPECT_TRUE(Await(client_.get(), [this] { return watch_.joining(); }));
  EXPECT_EQ(Try(), JoinWatch::Sent::kJoining);
  watch_.Settle();
  EXPECT_FALSE(watch_.joining());
}

TEST_F(JoinWatchTest, AnExpectedJoinCountsUntilItSettlesOrDoesNotCome) {
  watch_.ExpectAnother();
  EXPECT_EQ(Try(), JoinWatch::Sent::kJoining);
  watch_.Settle();
  EXPECT_EQ(Try(), JoinWatch::Sent::kYes);
  const absl::Time begin = absl::Now();
  watch_.ExpectAnother();
  EXPECT_TRUE(Await(client_.get(), [this] { return !watch_.joining(); }));
  EXPECT_GE(absl::Now() - begin, JoinWatch::kExpectedWithin - absl::Milliseconds(50));
}

TEST_F(JoinWatchTest, NothingIsSentAfterAHeartbeatUntilWhatItCausedIsOnTheWire) {
  Subscribe();
  EXPECT_TRUE(Await(client_.get(), [this] { return watch_.heartbeats() > 0; }));
  watch_.Settle();
  EXPECT_EQ(Try(), JoinWatch::Sent::kUnclear);
  // Heartbeats go on.
  const auto cleared = [this] {
    watch_.Clear(watch_.heartbeats());
    return Try() == JoinWatch::Sent::kYes;
  };
  EXPECT_TRUE(Await(client_.get(), cleared));
  // One more since the answer that is cleared.
  const uint64_t heartbeats = watch_.heartbeats();
  EXPECT_TRUE(Await(client_.get(), [&] { return watch_.heartbeats() > heartbeats; }));
  watch_.Clear(heartbeats);
  EXPECT_EQ(Try(), JoinWatch::Sent::kUnclear);
}

}  // namespace
}  // namespace caracal::pipeline
