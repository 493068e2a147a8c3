#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agents/api/agent.h"
#include "agents/api/parameters.h"

namespace caracal::pipeline {

/// The parameters of one rule of `agent` from the text a rule file would have for them ("max: 20,
/// window: 60s", with or without braces), defaults filled in. InvalidArgument with all findings,
/// one per line. Named lists are not known here. Any thread.
absl::StatusOr<agents::Parameters> ParametersFromText(const std::string& text,
                                                      const agents::AgentInfo& agent);

}  // namespace caracal::pipeline
