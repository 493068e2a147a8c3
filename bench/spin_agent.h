#pragma once

#include <chrono>
#include <memory>

#include "agents/api/agent.h"

namespace caracal::agents {

/// An agent that computes for a given time per event and never raises: a stand-in for rules that
/// cost more than the built-in ones, with a record of 8 bytes per key. The work is a chain of
/// multiplications, counted once against the clock (CHECK: a chain that takes time at all), so that
/// no event reads it.
std::unique_ptr<AgentFactory> MakeSpinFactory(std::chrono::nanoseconds per_event);

}  // namespace caracal::agents
