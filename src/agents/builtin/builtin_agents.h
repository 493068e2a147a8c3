#pragma once

#include "absl/status/status.h"
#include "agents/api/agent_registry.h"

namespace caracal::agents {

/// Registers every agent that ships with Caracal. Errors: AlreadyExists when one of the names is
/// taken.
absl::Status RegisterBuiltinAgents(AgentRegistry& registry);

}  // namespace caracal::agents
