#pragma once

#include "absl/status/status.h"
#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal run`: the service.
void AddRunCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result);

/// What the service ends with, by what ended it.
ExitCode ExitCodeOfRun(const absl::Status& status);

}  // namespace caracal::pipeline
