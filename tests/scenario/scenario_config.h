#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/engine/engine_options.h"
#include "tests/scenario/scenario_document.h"

namespace caracal::pipeline {

/// The engine a scenario describes, as `caracal run` would configure it.
struct ScenarioConfig {
  EngineOptions options;
  /// The column each stream's topic is keyed by.
  std::vector<std::string> key_columns;
};

/// Loads `config`, `set`, `lists` and `rulesets` of a scenario through the configuration loader.
/// `config` is the path of a configuration file below `root`, or its settings; what every
/// configuration needs and no scenario cares about (brokers, output topics) is filled in.
/// `rulesets` take the place of the configuration's rule files. The environment is empty. nullopt,
/// with the loader's findings, when anything is wrong.
std::optional<ScenarioConfig> LoadScenarioConfig(const ScenarioDocument& document,
                                                 const std::string& root, Problems& problems);

}  // namespace caracal::pipeline
