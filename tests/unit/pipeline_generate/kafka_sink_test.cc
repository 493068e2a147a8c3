// Against librdkafka's mock cluster: a broker in this process, on a loopback port.
#include "pipeline/generate/kafka_sink.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/generate/event_generator.h"

namespace caracal::pipeline {
namespace {

constexpr int32_t kPartitions = 4;
constexpr const char* kTopic = "bank.public.transactions";

struct Message {
  std::string key;
  std::string value;
  bool tombstone = false;
  int64_t timestamp_ms = 0;
};

class KafkaSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    char error[512];
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    // The owner of the mock cluster connects to nothing, and would warn that it does not.
    ASSERT_EQ(rd_kafka_conf_set(conf, "log_level", "0", error, sizeof(error)), RD_KAFKA_CONF_OK);
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    ASSERT_NE(owner_, nullptr) << error;
    cluster_ = rd_kafka_mock_cluster_new(owner_, 1);
    ASSERT_NE(cluster_, nullptr);
    ASSERT_EQ(rd_kafka_mock_topic_create(cluster_, kTopic, kPartitions, 1),
              RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  void TearDown() override {
    if (cluster_ != nullptr) rd_kafka_mock_cluster_destroy(cluster_);
    if (owner_ != nullptr) rd_kafka_destroy(owner_);
  }

  KafkaSinkOptions Options() const {
    KafkaSinkOptions options;
    options.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    options.topic = kTopic;
    return options;
  }

  // Every record of the topic, by partition, in offset order.
  std::map<int32_t, std::vector<Message>> ReadTopic(size_t expected) {
    std::map<int32_t, std::vector<Message>> read;
    rd_kafka_t* const consumer = MakeConsumer();
    for (size_t records = 0; records < expected;) {
      rd_kafka_message_t* const message = rd_kafka_consumer_poll(consumer, 10'000);
      if (message == nullptr) break;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++records;
        std::vector<Message>& partition = read[message->partition];
        EXPECT_EQ(message->offset, static_cast<int64_t>(partition.size()));
        partition.push_back({std::string(static_cast<const char*>(message->key), message->key_len),
                             std::string(static_cast<const char*>(message->payload), message->len),
                             message->payload == nullptr,
                             rd_kafka_message_timestamp(message, nullptr)});
      }
      rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return read;
  }

  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;

 private:
  rd_kafka_t* MakeConsumer() {
    char error[512];
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    for (const auto& [name, value] : std::vector<std::pair<const char*, std::string>>{
             {"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster_)},
             {"group.id", "reader"}}) {
      EXPECT_EQ(rd_kafka_conf_set(conf, name, value.c_str(), error, sizeof(error)),
                RD_KAFKA_CONF_OK);
    }
    rd_kafka_t* const consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
    EXPECT_NE(consumer, nullptr) << error;
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t* const partitions =
        rd_kafka_topic_partition_list_new(kPartitions);
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      rd_kafka_topic_partition_list_add(partitions, kTopic, partition)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
    EXPECT_EQ(rd_kafka_assign(consumer, partitions), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(partitions);
    return consumer;
  }
};

TEST_F(KafkaSinkTest, DeliversEveryRecordToItsPartitionInOrder) {
  auto sink = KafkaSink::Connect(Options());
  ASSERT_TRUE(sink.ok()) << agents::MessageOf(sink.status());
  ASSERT_EQ((*sink)->partitions(), kPartitions);

  GeneratorOptions options;
  options.partitions = (*sink)->partitions();
  options.noise.deletes = 0.05;
  options.noise.malformed = 0.05;
  auto generator = EventGenerator::Create(options);
  ASSERT_TRUE(generator.ok());
  constexpr size_t kRecords = 2'000;
  std::map<int32_t, std::vector<Message>> sent;
  uint64_t bytes = 0;
  GeneratedRecord record;
  for (size_t i = 0; i < kRecords; ++i) {
    ASSERT_TRUE((*generator)->Next(record));
    ASSERT_TRUE((*sink)->Write(record).ok());
    bytes += record.key.size() + record.value.size();
    sent[record.partition].push_back(
        {std::string(record.key), std::string(record.value), record.value.data() == nullptr, 0});
  }
  ASSERT_TRUE((*sink)->Flush().ok());
  ASSERT_TRUE((*sink)->Close().ok());
  EXPECT_EQ((*sink)->bytes(), bytes);

  const auto read = ReadTopic(kRecords);
  ASSERT_EQ(read.size(), sent.size());
  for (const auto& [partition, messages] : sent) {
    ASSERT_EQ(read.at(partition).size(), messages.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      EXPECT_EQ(read.at(partition)[i].key, messages[i].key);
      EXPECT_EQ(read.at(partition)[i].value, messages[i].value);
      EXPECT_EQ(read.at(partition)[i].tombstone, messages[i].tombstone);
      EXPECT_GT(read.at(partition)[i].timestamp_ms, 1'700'000'000'000);
    }
  }
}

TEST_F(KafkaSinkTest, StampsRecordsWithTheirEventTimeOnRequest) {
  KafkaSinkOptions options = Options();
  options.event_timestamps = true;
  auto sink = KafkaSink::Connect(options);
  ASSERT_TRUE(sink.ok());
  GeneratedRecord record;
  record.key = "k";
  record.value = "v";
  record.partition = 2;
  record.timestamp_ms = 1'100'000'000'123;
  ASSERT_TRUE((*sink)->Write(record).ok());
  ASSERT_TRUE((*sink)->Close().ok());
  EXPECT_EQ(ReadTopic(1).at(2).at(0).timestamp_ms, 1'100'000'000'123);
}

TEST_F(KafkaSinkTest, DoesNotCreateTheTopic) {
  KafkaSinkOptions options = Options();
  options.topic = "no.such.topic";
  const auto sink = KafkaSink::Connect(options);
  ASSERT_TRUE(absl::IsNotFound(sink.status()));
  EXPECT_NE(agents::MessageOf(sink.status()).find("--create --topic no.such.topic"),
            std::string::npos);
  EXPECT_TRUE(absl::IsNotFound(KafkaSink::Connect(options).status())) << "still not there";
}

TEST_F(KafkaSinkTest, RefusesAPartitionThatDoesNotExist) {
  auto sink = KafkaSink::Connect(Options());
  ASSERT_TRUE(sink.ok());
  GeneratedRecord record;
  record.key = "k";
  record.value = "v";
  record.partition = kPartitions;
  EXPECT_TRUE(absl::IsInvalidArgument((*sink)->Write(record)));
}

TEST_F(KafkaSinkTest, ReportsWhatTheBrokerRefuses) {
  auto sink = KafkaSink::Connect(Options());
  ASSERT_TRUE(sink.ok());
  rd_kafka_mock_push_request_errors(cluster_, 0 /* Produce */, 1,
                                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  GeneratedRecord record;
  record.key = "k";
  record.value = "v";
  record.partition = 0;
  ASSERT_TRUE((*sink)->Write(record).ok());
  const absl::Status status = (*sink)->Close();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_NE(agents::MessageOf(status).find("1 records were not delivered"), std::string::npos);
  EXPECT_NE(agents::MessageOf(status).find("authorization failed"), std::string::npos);
}

TEST_F(KafkaSinkTest, StopsWaitingForRoomOnRequest) {
  KafkaSinkOptions options = Options();
  const std::atomic<bool> stop{true};
  options.stop = &stop;
  options.properties = {{"queue.buffering.max.messages", "1"}};
  auto sink = KafkaSink::Connect(options);
  ASSERT_TRUE(sink.ok());
  ASSERT_EQ(rd_kafka_mock_broker_set_down(cluster_, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
  GeneratedRecord record;
  record.key = "k";
  record.value = "v";
  record.partition = 0;
  ASSERT_TRUE((*sink)->Write(record).ok());
  EXPECT_TRUE(absl::IsCancelled((*sink)->Write(record)));
}

TEST_F(KafkaSinkTest, RefusesARecordAboveTheLimitWithTheRemedy) {
  auto sink = KafkaSink::Connect(Options());
  ASSERT_TRUE(sink.ok());
  const std::string large(2'000'000, 'x');
  GeneratedRecord record;
  record.key = "k";
  record.value = large;
  record.partition = 0;
  const absl::Status status = (*sink)->Write(record);
  EXPECT_NE(agents::MessageOf(status).find("message.max.bytes"), std::string::npos);
}

TEST(KafkaSinkConnectTest, SaysThatNoBrokerAnswers) {
  KafkaSinkOptions options;
  options.brokers = "127.0.0.1:1";
  options.topic = "t";
  options.connect_timeout = absl::Milliseconds(500);
  const auto sink = KafkaSink::Connect(options);
  ASSERT_TRUE(absl::IsUnavailable(sink.status()));
  EXPECT_NE(agents::MessageOf(sink.status()).find("cannot reach Kafka at 127.0.0.1:1"),
            std::string::npos);
}

TEST(KafkaSinkConnectTest, NamesAPropertyThatDoesNotExist) {
  KafkaSinkOptions options;
  options.brokers = "127.0.0.1:1";
  options.properties = {{"no.such.property", "1"}};
  const auto sink = KafkaSink::Connect(options);
  ASSERT_TRUE(absl::IsInvalidArgument(sink.status()));
  EXPECT_NE(agents::MessageOf(sink.status()).find("no.such.property"), std::string::npos);
}

TEST(KafkaSinkConnectTest, RefusesPropertiesThatContradictEachOther) {
  KafkaSinkOptions options;
  options.brokers = "127.0.0.1:1";
  options.properties = {{"acks", "0"}};
  EXPECT_TRUE(absl::IsInvalidArgument(KafkaSink::Connect(options).status()));
}

}  // namespace
}  // namespace caracal::pipeline
