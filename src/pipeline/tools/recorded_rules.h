#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/config/loaded_config.h"

namespace caracal::pipeline {

/// A ruleset as a state topic has it.
struct RecordedRuleset {
  std::string name;   ///< empty = no manifest names it
  std::string topic;  ///< of the stream
  std::string canonical_json;
  int64_t first_seen_ms = -1;
};

/// Reads what the state topics of a configuration know of rulesets, by version. Blocks until they
/// are read; Unavailable when the brokers do not answer.
absl::StatusOr<std::map<std::string, RecordedRuleset>> ReadRecordedRules(
    const LoadedConfig& loaded);

}  // namespace caracal::pipeline
