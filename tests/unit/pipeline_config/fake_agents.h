#pragma once

#include "agents/api/agent_registry.h"

namespace caracal::pipeline {

/// A registry with small agents whose parameters have every type:
///
///   velocity  window (duration, required), max_count (1 to 100), refunds (exclude|include,
///             default exclude), distinct {attribute (required), max}; wants max_count or distinct
///   amount    above (money), profile {history (default 50), ratio (decimal, required), floor
///             (money)}; a profile accumulates money
///   geo       deny (list), max_speed_kmh (decimal, at least 0.5), strict (bool); wants a location
///             for max_speed_kmh
///   screen    model (file), deny {accounts (files)}
///   broken    declares a default, a bound and a name that are not valid
agents::AgentRegistry FakeAgents();

}  // namespace caracal::pipeline
