#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/generate/record_sink.h"

namespace caracal::pipeline {

struct KafkaSinkOptions {
  /// bootstrap.servers: host:port,...
  std::string brokers;
  /// Must exist; it is never created.
  std::string topic;
  /// librdkafka properties that override the defaults, such as security.protocol.
  std::vector<std::pair<std::string, std::string>> properties;
  /// Stamp records with their event time instead of the producer's clock. A topic with time-based
  /// retention may then drop them at once.
  bool event_timestamps = false;
  /// How long Connect waits for the cluster.
  absl::Duration connect_timeout = absl::Seconds(10);
  /// Called once by Connect, with the reason, when no broker has answered for two seconds.
  std::function<void(const std::string& reason)> still_trying;
  /// A set flag makes a blocked Write return Cancelled. Not owned; must outlive the sink.
  const std::atomic<bool>* stop = nullptr;
};

/// Produces records to a Kafka topic with an idempotent producer, each to the partition it names.
///
/// Bounded: at most 64 MiB wait for the brokers, then Write blocks. A record that the brokers
/// refuse or do not take within 30 s fails the next call. Threads: one caller; librdkafka has its
/// own.
class KafkaSink : public RecordSink {
 public:
  /// Unavailable: no broker answers. NotFound: the cluster has no such topic. InvalidArgument: a
  /// property is wrong.
  static absl::StatusOr<std::unique_ptr<KafkaSink>> Connect(const KafkaSinkOptions& options);

  ~KafkaSink() override;

  /// Partitions of the topic.
  int32_t partitions() const;

  /// record.partition must be one of the topic's.
  absl::Status Write(const GeneratedRecord& record) override;
  absl::Status Flush() override;
  /// Waits at most 35 s for what is under way.
  absl::Status Close() override;
  uint64_t bytes() const override;

 private:
  class Producer;

  explicit KafkaSink(std::unique_ptr<Producer> producer);

  std::unique_ptr<Producer> producer_;
};

}  // namespace caracal::pipeline
