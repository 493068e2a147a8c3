#include "pipeline/kafka/log_limits.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "agents/api/check.h"
#include "pipeline/kafka/client_config.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 1000;

KafkaPartitionList Partitions(const std::string& topic, const std::vector<int32_t>& numbers) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(numbers.size())));
  for (const int32_t number : numbers) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), number);
  }
  return list;
}

class LogLimitsTest : public testing::Test {
 protected:
  LogLimitsTest() {
    kafka_.CreateTopic("t", 3);
    auto client = MakeReader({.bootstrap_servers = kafka_.bootstrap_servers(), .client_id = "test"},
                             MockKafka::kGroup,
                             {{"reconnect.backoff.ms", "10"}, {"reconnect.backoff.max.ms", "100"}});
    CHECK(client.ok());
    client_ = *std::move(client);
  }

  absl::StatusOr<std::vector<LogLimits>> Read(const std::string& topic,
                                              const std::vector<int32_t>& numbers) {
    return ReadLogLimits(client_.get(), Partitions(topic, numbers).get(), kTimeoutMs, "asking");
  }

  /// What the client knows of the leaders is what the brokers say now.
  void Look() {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    while (error != RD_KAFKA_RESP_ERR_NO_ERROR && absl::Now() < deadline) {
      const rd_kafka_metadata_t* metadata = nullptr;
      error = rd_kafka_metadata(client_.get(), 1, nullptr, &metadata, kTimeoutMs);
      if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
    }
    ASSERT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  MockKafka kafka_;
  KafkaClient client_;
};

TEST_F(LogLimitsTest, AreThoseOfThePartitionsInTheirOrder) {
  std::vector<TopicRecord> records = {{.partition = 2}, {.partition = 0}, {.partition = 2}};
  kafka_.Append("t", records);
  const auto limits = Read("t", {2, 1, 0});
  ASSERT_TRUE(limits.ok()) << limits.status();
  std::vector<int64_t> highs;
  for (const LogLimits& each : *limits) {
    EXPECT_EQ(each.low, 0);
    highs.push_back(each.high);
  }
  EXPECT_EQ(highs, (std::vector<int64_t>{2, 0, 1}));
}

TEST_F(LogLimitsTest, ThereAreNoneOfWhatDoesNotExist) {
  EXPECT_TRUE(absl::IsNotFound(Read("t", {0, 3}).status())) << Read("t", {0, 3}).status();
}

TEST_F(LogLimitsTest, TopicThatIsNotThereYetIsLookedForUntilTheTimeIsOver) {
  kafka_.SetTopicError("t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const absl::Time start = absl::Now();
  EXPECT_TRUE(absl::IsNotFound(Read("t", {0}).status()));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(kTimeoutMs));
  std::thread makes_it([this] { kafka_.SetTopicError("t", RD_KAFKA_RESP_ERR_NO_ERROR); });
  EXPECT_TRUE(Read("t", {0}).ok());
  makes_it.join();
}

// The client has been told of a leader that died, and of no other one yet.
TEST_F(LogLimitsTest, DoNotWaitForALeaderThatHasDied) {
  ASSERT_TRUE(Read("t", {0}).ok());
  kafka_.SetDown(MockKafka::kSourceBroker);
  Look();
  EXPECT_TRUE(absl::IsUnavailable(Read("t", {0}).status()));
  kafka_.SetLeader("t", 0, MockKafka::kOutputBroker);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  absl::Status status = absl::UnavailableError("not tried yet");
  while (absl::IsUnavailable(status) && absl::Now() < deadline) status = Read("t", {0}).status();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_LT(absl::Now(), deadline);
}

}  // namespace
}  // namespace caracal::pipeline
