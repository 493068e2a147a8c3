#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/scenario/scenario.h"

namespace caracal::pipeline {

/// What must not change a result.
struct RunShape {
  uint32_t worker_threads = 0;
  size_t batch_records = 1;
};

/// One message that a run committed.
struct ScenarioOutput {
  size_t record = 0;  ///< index of the record it comes from
  std::string key;
  bool null_key = false;
  std::string value;
  bool null_value = false;
  std::vector<std::pair<std::string, std::string>> headers;

  friend bool operator==(const ScenarioOutput&, const ScenarioOutput&) = default;
};

/// What came out of a run, each list in the order it was committed in per partition.
struct ScenarioOutcome {
  std::vector<ScenarioOutput> alerts;
  std::vector<ScenarioOutput> dead_letters;
  /// "warmed", "key_mismatches", "skips.<reason>", and per rule
  /// "rules.<ruleset>/<rule>.evaluations",
  /// ".fired", ".late", ".inactive", ".at_least"; over all streams.
  std::map<std::string, int64_t> counts;

  friend bool operator==(const ScenarioOutcome&, const ScenarioOutcome&) = default;
};

/// Runs the records of a scenario through the engine; only Kafka is not real. Every partition with
/// records is assigned afresh once they are all there. An error says what the engine stopped with,
/// or which of its promises it broke.
absl::StatusOr<ScenarioOutcome> RunScenario(const Scenario& scenario, RunShape shape);

}  // namespace caracal::pipeline
