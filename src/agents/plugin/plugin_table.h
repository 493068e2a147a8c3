#pragma once

#include <caracal/agent_abi.h>

#include "absl/status/statusor.h"
#include "agents/api/agent.h"

namespace caracal::agents {

/// Checks the table a plugin answered with, and reads what it says of itself: name, version,
/// licence, description, reasons. The parameters stay empty: their schema is JSON, which is the
/// pipeline's to read (`api->parameters_schema`). Reads a field only where the table is long enough
/// for it. FailedPrecondition for a version that does not fit, InvalidArgument for everything else;
/// the message is a sentence with what to do. Any thread.
absl::StatusOr<AgentInfo> ReadPluginTable(const caracal_agent_api* api);

}  // namespace caracal::agents
