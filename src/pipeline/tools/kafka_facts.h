#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caracal::pipeline {

/// A topic as the brokers describe it.
struct TopicFacts {
  int32_t partitions = 0;
  /// Replicas of its first partition.
  int32_t replication = 0;
  /// The effective settings.
  std::map<std::string, std::string> config;
};

/// What Kafka looks like from here, as far as it could be seen. Plain values.
struct KafkaFacts {
  int32_t brokers = 0;
  /// By name; nullopt = the topic does not exist; a status = it could not be looked at.
  std::map<std::string, absl::StatusOr<std::optional<TopicFacts>>> topics;
  /// Whether the group may be read and, with exactly_once, transactions be used.
  absl::Status group;
  absl::Status transactions;
};

enum class CheckOutcome : uint8_t {
  kGood,
  kWarning,  ///< works, but not as well or as safely as it could
  kProblem,  ///< breaks a guarantee: `caracal run` refuses to start
  kMissing,  ///< not there yet: `caracal run` waits for it or says what to do
};

/// One line of `caracal doctor`.
struct Check {
  CheckOutcome outcome = CheckOutcome::kGood;
  std::string subject;  ///< "topic bank.public.transactions"
  std::string text;     ///< what was found, a sentence without its stop
  std::string fix;      ///< a command or a step; empty when good
};

}  // namespace caracal::pipeline
