#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/engine/engine_options.h"
#include "tests/scenario/scenario_document.h"
#include "tests/scenario/scenario_records.h"

namespace caracal::pipeline {

/// An alert that must be raised. Only what `fields` names is compared.
struct ExpectedAlert {
  size_t record = 0;
  YAML::Mark mark;
  YAML::Node fields;
};

struct ExpectedDeadLetter {
  size_t record = 0;
  YAML::Mark mark;
  std::string reason;
};

/// A count by the name ScenarioOutcome has it under.
struct ExpectedCount {
  std::string name;
  YAML::Mark mark;
  int64_t value = 0;
};

/// A scenario as its file describes it: an engine, what its topics hold, what must come out.
struct Scenario {
  EngineOptions options;
  std::vector<ScenarioRecord> records;
  std::vector<ExpectedAlert> alerts;
  std::vector<ExpectedDeadLetter> dead_letters;
  std::vector<ExpectedCount> counts;
};

/// Reads a scenario; README.md describes the format. `path` names it in reports and lies in the
/// tree under `root`, from where configurations are named. nullopt when anything is reported.
std::optional<Scenario> ReadScenario(const std::string& path, const std::string& text,
                                     const std::string& root, Problems& problems);

}  // namespace caracal::pipeline
