#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/handles.h"

typedef struct rd_kafka_mock_cluster_s rd_kafka_mock_cluster_t;

namespace caracal::pipeline {

/// A Kafka broker inside this process (librdkafka's mock cluster), on a loopback port.
///
/// It knows consumer groups, produce and fetch, but no transactions, and it keeps at most 5 MiB or
/// 100,000 batches per partition, silently dropping older ones: whoever produces must stay that
/// close to whoever consumes. Never a measure of a broker's speed. One thread; the broker has its
/// own.
class MockBroker {
 public:
  static absl::StatusOr<std::unique_ptr<MockBroker>> Start();
  ~MockBroker();
  MockBroker(const MockBroker&) = delete;
  MockBroker& operator=(const MockBroker&) = delete;

  absl::Status CreateTopic(const std::string& name, int32_t partitions);
  std::string bootstrap_servers() const;

  /// Bytes a partition keeps for sure.
  static constexpr size_t kRetainedBytes = size_t{5} << 20;

 private:
  explicit MockBroker(KafkaClient host) : host_(std::move(host)) {}

  KafkaClient host_;  ///< librdkafka wants a client to run the cluster in
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace caracal::pipeline
