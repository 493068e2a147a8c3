#include "pipeline/kafka/fetch_waker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/check.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/source/source_options.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kBatches = 60;
constexpr size_t kBatchRecords = 10;
constexpr std::chrono::seconds kPatience(30);

/// A consumer of partition 0 of "t", from its start, whose fetches bring one record batch.
KafkaClient Consumer(const MockKafka& kafka, const KafkaProperties& queue) {
  SourceOptions options;
  options.connection.bootstrap_servers = kafka.bootstrap_servers();
  options.connection.properties = queue;
  options.connection.properties["fetch.message.max.bytes"] = "1";
  auto conf = MakeConsumerConf(options);
  CHECK(conf.ok());
  auto client = MakeKafkaClient(RD_KAFKA_CONSUMER, *std::move(conf));
  CHECK(client.ok());
  return *std::move(client);
}

struct Reading {
  size_t records = 0;
  /// The longest time between two records.
  std::chrono::steady_clock::duration standstill{0};
};

/// Reads until all has come, or `patience` is over.
Reading Read(rd_kafka_t* client, bool wake, std::chrono::seconds patience = kPatience) {
  const KafkaQueue queue(rd_kafka_queue_get_consumer(client));
  FetchWaker waker(client);
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), "t", 0)->offset = 0;
  CHECK(rd_kafka_assign(client, list.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
  Reading reading;
  auto last = std::chrono::steady_clock::now();
  const auto end = last + patience;
  while (reading.records < kBatches * kBatchRecords && std::chrono::steady_clock::now() < end) {
    const KafkaMessage message(rd_kafka_consumer_poll(client, 10));
    const bool is_record = message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (is_record) {
      const auto now = std::chrono::steady_clock::now();
      if (reading.records++ > 0) reading.standstill = std::max(reading.standstill, now - last);
      last = now;
    }
    if (wake) waker.Taken(is_record ? 1 : 0, is_record ? message->len : 0, queue.get());
  }
  return reading;
}

class FetchWakerTest : public ::testing::Test {
 protected:
  FetchWakerTest() {
    kafka_.CreateTopic("t", 1);
    for (size_t i = 0; i < kBatches; ++i) {
      std::vector<TopicRecord> batch(kBatchRecords, {.key = "k", .value = std::string(1000, 'v')});
      kafka_.Append("t", batch);
    }
  }

  MockKafka kafka_;
};

TEST_F(FetchWakerTest, AQueueFullOfRecordsGoesOnWhenSomeAreTaken) {
  const KafkaClient client = Consumer(kafka_, {{"queued.min.messages", "6"}});
  EXPECT_EQ(Read(client.get(), /*wake=*/true).records, kBatches * kBatchRecords);
}

TEST_F(FetchWakerTest, AQueueFullOfBytesGoesOnWhenSomeAreTaken) {
  const KafkaClient client = Consumer(kafka_, {{"queued.max.messages.kbytes", "4"}});
  EXPECT_EQ(Read(client.get(), /*wake=*/true).records, kBatches * kBatchRecords);
}

// The control. A reader that empties the queue before the client looks at it (the machine is busy)
// meets no full queue, so it has some attempts; one that does lasts a second.
TEST_F(FetchWakerTest, WithoutItAFullQueueStandsStill) {
  constexpr std::chrono::milliseconds kStandsStill(800);
  std::chrono::steady_clock::duration longest{0};
  for (int attempt = 0; attempt < 10 && longest < kStandsStill; ++attempt) {
    const KafkaClient client = Consumer(kafka_, {{"queued.min.messages", "6"}});
    longest =
        std::max(longest, Read(client.get(), /*wake=*/false, std::chrono::seconds(3)).standstill);
  }
  EXPECT_GE(longest, kStandsStill);
}

bool WorksWith(const KafkaProperties& properties) {
  const KafkaConf conf(rd_kafka_conf_new());
  std::array<char, 512> error = {};
  for (const auto& [name, value] : properties) {
    EXPECT_EQ(
        rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), error.data(), error.size()),
        RD_KAFKA_CONF_OK)
        << error.data();
  }
  return FetchWaker::WorksWith(conf.get());
}

TEST(FetchWakerConfTest, WorksWhereCredentialsMayBeSetAgain) {
  EXPECT_TRUE(WorksWith({}));
  EXPECT_TRUE(WorksWith({{"security.protocol", "ssl"}}));
  EXPECT_TRUE(WorksWith({{"security.protocol", "SASL_SSL"}, {"sasl.mechanism", "plain"}}));
  EXPECT_TRUE(WorksWith({{"security.protocol", "sasl_ssl"}, {"sasl.mechanism", "SCRAM-SHA-512"}}));
  EXPECT_FALSE(WorksWith({{"security.protocol", "sasl_ssl"}, {"sasl.mechanism", "OAUTHBEARER"}}));
  EXPECT_FALSE(WorksWith({{"security.protocol", "sasl_plaintext"}})) << "GSSAPI";
}

std::string QueuedMessages(const KafkaProperties& properties) {
  SourceOptions options;
  options.connection.properties = properties;
  const auto conf = MakeConsumerConf(options);
  EXPECT_TRUE(conf.ok()) << conf.status();
  std::array<char, 64> text = {};
  size_t size = text.size();
  EXPECT_EQ(rd_kafka_conf_get(conf->get(), "queued.min.messages", text.data(), &size),
            RD_KAFKA_CONF_OK);
  return text.data();
}

TEST(FetchWakerConfTest, WhereItDoesNotWorkTheQueueIsLong) {
  const SourceOptions options;
  EXPECT_EQ(QueuedMessages({}), fmt::to_string(options.queued_min_messages));
  const KafkaProperties token = {{"security.protocol", "sasl_ssl"},
                                 {"sasl.mechanism", "OAUTHBEARER"}};
  EXPECT_EQ(QueuedMessages(token), fmt::to_string(options.unwoken_min_messages));
  EXPECT_EQ(QueuedMessages({{"queued.min.messages", "77"}}), "77") << "what the user says";
}

}  // namespace
}  // namespace caracal::pipeline
