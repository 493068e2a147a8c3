#pragma once

#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal demo`: everything at work with nothing installed.
void AddDemoCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result);

}  // namespace caracal::pipeline
