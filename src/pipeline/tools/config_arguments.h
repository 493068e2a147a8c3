#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "pipeline/config/config_loader.h"

namespace caracal::pipeline {

/// Which configuration a command works on. Main thread only.
struct ConfigArguments {
  std::string path = "caracal.yaml";
  std::vector<std::string> sets;
};

/// Adds -c/--config (or CARACAL_CONFIG) and --set to a command. `arguments` must live as long as
/// the application.
void AddConfigOptions(CLI::App& command, ConfigArguments& arguments);

/// Loads the configuration from the disk and this process's environment.
LoadResult LoadFromDisk(const ConfigArguments& arguments, const agents::AgentRegistry& registry);

/// Prints errors and warnings as text to stderr. Returns true when the configuration can be used.
bool PrintFindings(const LoadResult& result);

}  // namespace caracal::pipeline
