#pragma once

#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal init`: creates the alert, dead-letter and state topics, or prints how to.
void AddInitCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result);

}  // namespace caracal::pipeline
