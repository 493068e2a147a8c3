#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"

namespace caracal::agents {

/// Agents small enough that a test knows what they do:
///
///   count   counts the events of a key in its record and fires from the at-th on; negative amounts
///           are flagged late, amounts without value inactive, counts above 100 at_least. Its
///           state is state_bytes long (at least 8), aligned to state_align. accumulates_money if
///           money is set.
///   above   stateless; fires on amounts above `limit`. Refuses a limit below 0.
void RegisterTestAgents(AgentRegistry& registry);

/// The id of a rule, the count or amount it fires at, and its score; change the rest as needed.
RuleSpec CountRule(std::string id, int64_t at, int32_t score);
RuleSpec AboveRule(std::string id, int64_t limit, int32_t score);
RulesetSpec Ruleset(std::string name, int32_t alert_above, std::vector<RuleSpec> rules);

}  // namespace caracal::agents
