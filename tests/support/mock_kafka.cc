#include "tests/support/mock_kafka.h"

#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/check.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 300'000;
constexpr int kAnswerMs = 1000;
constexpr int kReadMs = 5000;
constexpr int kPollMs = 10;

KafkaClient NewClient(rd_kafka_type_t type, const std::string& bootstrap_servers,
                      KafkaProperties properties) {
  properties.try_emplace("reconnect.backoff.ms", "10");
  properties.try_emplace("reconnect.backoff.max.ms", "100");
  auto conf =
      MakeKafkaConf({.bootstrap_servers = bootstrap_servers, .client_id = "test"}, properties, {});
  CHECK(conf.ok());
  auto client = MakeKafkaClient(type, *std::move(conf));
  CHECK(client.ok());
  if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(client->get());
  return *std::move(client);
}

KafkaPartitionList AllPartitions(const std::string& topic, int32_t partitions, int64_t offset) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(partitions));
  for (int32_t partition = 0; partition < partitions; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  }
  return list;
}

void NoteDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* /*opaque*/) {
  CHECK(message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
  static_cast<TopicRecord*>(message->_private)->offset = message->offset;
}

TopicRecord RecordOf(const rd_kafka_message_t& message) {
  TopicRecord record;
  record.partition = message.partition;
  record.offset = message.offset;
  if (message.key != nullptr) record.key.assign(static_cast<char*>(message.key), message.key_len);
  record.null_value = message.payload == nullptr;
  if (!record.null_value) {
    record.value.assign(static_cast<char*>(message.payload), message.len);
  }
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
  }
  return record;
}

}  // namespace

std::string_view TopicRecord::Header(std::string_view name) const {
  const auto it = std::find_if(headers.rbegin(), headers.rend(),
                               [name](const auto& header) { return header.first == name; });
  return it == headers.rend() ? std::string_view() : std::string_view(it->second);
}

MockKafka::MockKafka() {
  KafkaConf conf(rd_kafka_conf_new());
  RouteKafkaLogs(conf.get());
  auto host = MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf));
  CHECK(host.ok());
  host_ = *std::move(host);
  cluster_ = rd_kafka_mock_cluster_new(host_.get(), /*broker_cnt=*/3);
  CHECK(cluster_ != nullptr);
  SetCoordinator(kGroupBroker);
}

MockKafka::~MockKafka() {
  offsets_clients_.clear();
  producer_.reset();
  rd_kafka_mock_cluster_destroy(cluster_);
}

std::string MockKafka::bootstrap_servers() const {
  return rd_kafka_mock_cluster_bootstraps(cluster_);
}

void MockKafka::CreateTopic(const std::string& topic, int32_t partitions, int32_t broker) {
  CHECK(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1) ==
        RD_KAFKA_RESP_ERR_NO_ERROR);
  for (int32_t partition = 0; partition < partitions; ++partition) {
    SetLeader(topic, partition, broker);
  }
}

void MockKafka::SetLeader(const std::string& topic, int32_t partition, int32_t broker) {
  CHECK(rd_kafka_mock_partition_set_leader(cluster_, topic.c_str(), partition, broker) ==
        RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockKafka::SetTopicError(const std::string& topic, rd_kafka_resp_err_t error) {
  rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), error);
}

void MockKafka::SetCoordinator(int32_t broker) {
  CHECK(rd_kafka_mock_coordinator_set(cluster_, "group", kGroup, broker) ==
        RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockKafka::FailNext(int32_t broker, KafkaRequest request,
                         const std::vector<rd_kafka_resp_err_t>& errors, int delay_ms) {
  for (const rd_kafka_resp_err_t error : errors) {
    CHECK(rd_kafka_mock_broker_push_request_error_rtts(cluster_, broker,
                                                       static_cast<int16_t>(request), 1, error,
                                                       delay_ms) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
}

size_t MockKafka::FaultsLeft(int32_t broker, KafkaRequest request) const {
  size_t left = 0;
  CHECK(rd_kafka_mock_broker_error_stack_cnt(cluster_, broker, static_cast<int16_t>(request),
                                             &left) == RD_KAFKA_RESP_ERR_NO_ERROR);
  return left;
}

void MockKafka::SetDown(int32_t broker) {
  CHECK(rd_kafka_mock_broker_set_down(cluster_, broker) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockKafka::SetUp(int32_t broker) {
  CHECK(rd_kafka_mock_broker_set_up(cluster_, broker) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockKafka::SetDelay(int32_t broker, int delay_ms) {
  CHECK(rd_kafka_mock_broker_set_rtt(cluster_, broker, delay_ms) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void MockKafka::Append(const std::string& topic, std::vector<TopicRecord>& records) {
  if (producer_ == nullptr) {
    auto conf = MakeKafkaConf(
        {.bootstrap_servers = bootstrap_servers(), .client_id = "test"},
        {{"linger.ms", "1"}, {"retries", "0"}, {"socket.timeout.ms", fmt::to_string(kTimeoutMs)}},
        {});
    CHECK(conf.ok());
    rd_kafka_conf_set_dr_msg_cb(conf->get(), NoteDelivery);
    auto client = MakeKafkaClient(RD_KAFKA_PRODUCER, *std::move(conf));
    CHECK(client.ok());
    producer_ = *std::move(client);
  }
  for (TopicRecord& record : records) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    CHECK(rd_kafka_producev(producer_.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
                            RD_KAFKA_V_PARTITION(record.partition),
                            RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
                            RD_KAFKA_V_VALUE(record.null_value ? nullptr : record.value.data(),
                                             record.null_value ? 0 : record.value.size()),
                            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(&record),
                            RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_poll(producer_.get(), 0);
  }
  CHECK(rd_kafka_flush(producer_.get(), kTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

KafkaClient& MockKafka::OffsetsClient(const std::string& group) {
  KafkaClient& client = offsets_clients_[group];
  if (client == nullptr) {
    client = NewClient(RD_KAFKA_CONSUMER, bootstrap_servers(),
                       {{"group.id", group}, {"enable.auto.commit", "false"}});
  }
  return client;
}

void MockKafka::Commit(const std::string& group, const std::string& topic, int32_t partition,
                       const CommittedOffset& committed) {
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* entry =
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  entry->offset = committed.offset;
  // The list frees its metadata with free().
  entry->metadata = std::malloc(committed.metadata.size() + 1);
  std::memcpy(entry->metadata, committed.metadata.c_str(), committed.metadata.size() + 1);
  entry->metadata_size = committed.metadata.size();
  CHECK(rd_kafka_commit(OffsetsClient(group).get(), list.get(), /*async=*/0) ==
        RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::vector<CommittedOffset> MockKafka::Committed(const std::string& group,
                                                  const std::string& topic, int32_t partitions) {
  const KafkaPartitionList list = AllPartitions(topic, partitions, RD_KAFKA_OFFSET_INVALID);
  if (rd_kafka_committed(OffsetsClient(group).get(), list.get(), kAnswerMs) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  std::vector<CommittedOffset> committed;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    CommittedOffset& offset = committed.emplace_back();
    if (entry.offset >= 0) offset.offset = entry.offset;
    if (entry.metadata != nullptr) {
      offset.metadata.assign(static_cast<char*>(entry.metadata), entry.metadata_size);
    }
  }
  return committed;
}

TopicReader::TopicReader(const MockKafka& kafka, std::string topic, int32_t partitions)
    : topic_(std::move(topic)), partitions_(partitions) {
  client_ = NewClient(RD_KAFKA_CONSUMER, kafka.bootstrap_servers(),
                      {{"group.id", "reader"},
                       {"enable.auto.commit", "false"},
                       {"fetch.wait.max.ms", "5"},
                       {"auto.offset.reset", "earliest"}});
  const KafkaPartitionList list = AllPartitions(topic_, partitions_, RD_KAFKA_OFFSET_BEGINNING);
  CHECK(rd_kafka_assign(client_.get(), list.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

const std::vector<TopicRecord>& TopicReader::Read() {
  reached_end_ = false;
  std::vector<int64_t> missing(static_cast<size_t>(partitions_), 0);
  for (int32_t partition = 0; partition < partitions_; ++partition) {
    int64_t low = 0;
    if (rd_kafka_query_watermark_offsets(client_.get(), topic_.c_str(), partition, &low,
                                         &missing[partition],
                                         kAnswerMs) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return records_;
    }
    missing[partition] -= low;
  }
  for (const TopicRecord& record : records_) missing[record.partition] -= 1;
  const auto lacks = [&missing] {
    return std::any_of(missing.begin(), missing.end(), [](int64_t count) { return count > 0; });
  };
  const absl::Time deadline = absl::Now() + absl::Milliseconds(kReadMs);
  while (lacks() && absl::Now() < deadline) {
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), kPollMs));
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    records_.push_back(RecordOf(*message));
    missing[message->partition] -= 1;
  }
  reached_end_ = !lacks();
  return records_;
}

}  // namespace caracal::pipeline
