#pragma once

#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// Adds `schema config|rules`: prints the JSON Schema (draft 2020-12) of the configuration file or
/// of rule files to stdout; of a configuration's plugins too. `registry` and `result` must outlive
/// `app`.
void AddSchemaCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result);

}  // namespace caracal::pipeline
