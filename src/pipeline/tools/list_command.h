#pragma once

#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// Adds `list config|agents|errors|rulesets`: the reference documentation, and the rulesets of a
/// configuration with their versions, to stdout. Exit codes: 0, or 78 when `list rulesets` finds
/// errors in the configuration. `registry` and `result` must outlive `app`.
void AddListCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result);

}  // namespace caracal::pipeline
