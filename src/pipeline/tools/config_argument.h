#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "pipeline/config/loaded_config.h"

namespace caracal::pipeline {

/// The options -c FILE and --set PATH=VALUE, shared by every command that reads the configuration.
struct ConfigArgument {
  std::string path = "caracal.yaml";
  std::vector<std::string> sets;

  void AddTo(CLI::App& command);
  /// Loads it; prints what is wrong to stderr and returns nullopt when it cannot be used
  /// (kExitConfig).
  std::optional<LoadedConfig> Load(const agents::AgentRegistry& registry) const;
};

/// A registry with every built-in agent.
agents::AgentRegistry BuiltinRegistry();

}  // namespace caracal::pipeline
