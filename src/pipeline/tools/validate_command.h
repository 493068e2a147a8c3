#pragma once

#include "agents/api/agent_registry.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// Adds `validate`: checks a configuration and its rule files without touching the network, and
/// reports everything that is wrong: as text to stderr, as JSON or workflow commands to stdout.
/// Exit codes: 0 fine, 78 errors, 1 warnings that --deny-warnings refuses. `registry` and `result`
/// must outlive `app`.
void AddValidateCommand(CLI::App& app, const agents::AgentRegistry& registry,
                        CommandResult& result);

}  // namespace caracal::pipeline
