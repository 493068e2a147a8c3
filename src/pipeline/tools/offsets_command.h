#pragma once

#include <CLI/CLI.hpp>

#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// Adds `caracal offsets show|set`.
void AddOffsetsCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result);

}  // namespace caracal::pipeline
