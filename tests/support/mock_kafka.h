#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/kafka/handles.h"
#include "pipeline/ports/offset_store.h"

typedef struct rd_kafka_mock_cluster_s rd_kafka_mock_cluster_t;

namespace caracal::pipeline {

/// Kinds of requests a test makes fail or counts; the numbers are Kafka's API keys.
enum class KafkaRequest : int16_t {
  kProduce = 0,
  kFetch = 1,
  kListOffsets = 2,
  kOffsetCommit = 8,
  kOffsetFetch = 9,
  kFindCoordinator = 10,
  kJoinGroup = 11,
  kHeartbeat = 12,
  kLeaveGroup = 13,
  kSyncGroup = 14,
  kInitProducerId = 22,
};

/// One record as a test writes it or finds it in a topic.
struct TopicRecord {
  int32_t partition = 0;
  int64_t offset = -1;
  std::string key;
  std::string value;
  bool null_value = false;
  std::vector<std::pair<std::string, std::string>> headers;

  /// Value of the last header of that name; empty = none.
  std::string_view Header(std::string_view name) const;
};

/// Kafka inside the test process (librdkafka's mock cluster) with three brokers, one per part, so
/// that each can fail alone: one leads the source topics, one coordinates the group, one leads the
/// topics the engine writes to.
///
/// It knows groups, produce and fetch; no transactions, no times, no administration. A partition
/// keeps 5 MiB. A group waits three seconds for the members of its first generation, in which a
/// member with a shorter session dies, and for those of a later one its session less a second. One
/// thread; the brokers have their own. Every call that does not succeed ends the test process: a
/// test cannot go on without its cluster.
class MockKafka {
 public:
  static constexpr int32_t kSourceBroker = 1;
  static constexpr int32_t kGroupBroker = 2;
  static constexpr int32_t kOutputBroker = 3;
  static constexpr const char* kGroup = "caracal";

  MockKafka();
  ~MockKafka();
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  std::string bootstrap_servers() const;
  void CreateTopic(const std::string& topic, int32_t partitions, int32_t broker = kSourceBroker);
  /// What metadata says about the topic; no error = it exists.
  void SetTopicError(const std::string& topic, rd_kafka_resp_err_t error);
  void SetCoordinator(int32_t broker);
  void SetLeader(const std::string& topic, int32_t partition, int32_t broker);

  // Faults.
  /// The next requests of this kind at the broker are answered with these errors, one each, after
  /// `delay_ms`. No error = answered as usual: a way to delay, or to count.
  void FailNext(int32_t broker, KafkaRequest request,
                const std::vector<rd_kafka_resp_err_t>& errors, int delay_ms = 0);
  /// How many of them have not been used yet; they cannot be taken back.
  size_t FaultsLeft(int32_t broker, KafkaRequest request) const;
  void SetDown(int32_t broker);
  void SetUp(int32_t broker);
  /// Every answer of the broker takes this long.
  void SetDelay(int32_t broker, int delay_ms);

  // Records and offsets, through clients of the test's own.
  /// Appends the records, sets their offsets, and returns when all are acknowledged.
  void Append(const std::string& topic, std::vector<TopicRecord>& records);
  /// Commits for the group without being a member: allowed as long as it has never had one.
  void Commit(const std::string& group, const std::string& topic, int32_t partition,
              const CommittedOffset& committed);
  /// Of all partitions of the topic; empty when the coordinator does not answer in a second.
  std::vector<CommittedOffset> Committed(const std::string& group, const std::string& topic,
                                         int32_t partitions);

 private:
  KafkaClient& OffsetsClient(const std::string& group);

  KafkaClient host_;  ///< librdkafka wants a client to run the cluster in
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  KafkaClient producer_;
  std::map<std::string, KafkaClient> offsets_clients_;  ///< by group
};

/// Reads a topic from its start, as a downstream consumer would, without a group. One thread.
class TopicReader {
 public:
  TopicReader(const MockKafka& kafka, std::string topic, int32_t partitions);

  /// Everything up to the ends the log has now, in partition order; keeps what it has read before.
  /// A broker that is down is not waited for.
  const std::vector<TopicRecord>& Read();
  /// The last Read has reached the ends of the log: what it has not found was not there.
  bool reached_end() const { return reached_end_; }
  const std::vector<TopicRecord>& records() const { return records_; }

 private:
  const std::string topic_;
  const int32_t partitions_;
  KafkaClient client_;
  std::vector<TopicRecord> records_;
  bool reached_end_ = false;
};

}  // namespace caracal::pipeline
