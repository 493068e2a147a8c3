#pragma once

#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal doctor`: looks at everything around the engine and says what is wrong and how to mend
/// it.
void AddDoctorCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result);

}  // namespace caracal::pipeline
