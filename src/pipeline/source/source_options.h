#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {

/// A point in a topic as the configuration names it.
struct StartPoint {
  enum class Kind : uint8_t { kEarliest, kLatest, kTime };
  Kind kind = Kind::kEarliest;
  int64_t time_ms = 0;  ///< record timestamp, for kTime
};

/// One source topic.
struct SourceTopic {
  std::string name;
  /// Where a partition starts that the group has never committed.
  StartPoint from;
  /// From where on such a partition may raise alerts; kEarliest = from the start.
  StartPoint alert_from;
  /// Identity of the rules in effect (RulesHash).
  std::string rules;
};

struct SourceOptions {
  // Behaviour.
  KafkaConnection connection;
  std::string group_id = "caracal";
  /// Static membership; empty = dynamic.
  std::string group_instance_id;
  /// Index = stream index of the leases.
  std::vector<SourceTopic> topics;
  /// Buckets per partition.
  uint32_t buckets = 64;
  /// Where retention has removed records that state has to be rebuilt from: go on with what is
  /// left, marked as incomplete (true), or stop.
  bool degrade_on_state_gap = false;
  /// The longest time a revoked partition waits for its epoch before it is given up.
  absl::Duration revoke_grace = absl::Milliseconds(50);

  // Performance.
  /// Records of one poll.
  size_t batch_records = 1024;
  /// Prefetch of the whole client: enough to be read from the cache while the next fetch is under
  /// way. FetchWaker keeps that from standing still.
  int64_t queued_min_messages = 30'000;
  int64_t queued_max_kbytes = 32'768;
  /// Where FetchWaker cannot (librdkafka 2.0.2 stalls for one second when its queue is full): more
  /// than a second of the peak rate.
  int64_t unwoken_min_messages = 1'000'000;
  int64_t unwoken_max_kbytes = 1'048'576;
};

/// The librdkafka configuration of a member: ours, overridden by what the user has set, but for
/// what correctness rests on. InvalidArgument names the property librdkafka does not take.
absl::StatusOr<KafkaConf> MakeConsumerConf(const SourceOptions& options);

}  // namespace caracal::pipeline
