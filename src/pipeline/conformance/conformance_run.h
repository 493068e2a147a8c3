#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agents/api/agent.h"
#include "agents/api/verdict.h"
#include "pipeline/conformance/guarded_memory.h"
#include "pipeline/conformance/hostile_events.h"
#include "pipeline/conformance/isolated_check.h"

namespace caracal::pipeline {

/// How events are given to the agents of a rule. Whatever stands here, an agent that keeps to its
/// promises says the same and leaves the same states.
struct RunPlan {
  /// Sizes of the batches, over and over.
  std::vector<size_t> batches = {32};
  /// Agents that take the batches in turn.
  size_t instances = 1;
  /// Batches after which all states are moved elsewhere and all agents are made anew; 0 = never.
  size_t restart_every = 0;
  /// Where states lie against the page that may not be touched.
  GuardedMemory::Edge edge = GuardedMemory::Edge::kEnd;
};

/// What agents said of all events, and what they left.
struct Transcript {
  std::vector<agents::Verdict> verdicts;       ///< as the events
  std::vector<std::vector<std::byte>> states;  ///< by key
  /// Why a run ended early; empty = it did not.
  std::string problem;
};

/// Has agents of `rule` judge all events. One thread.
Transcript Run(const agents::BoundRule& rule, const HostileEvents& events, const RunPlan& plan,
               CheckProgress& progress);

/// Nanoseconds a fresh agent takes for all events in batches of one size; 0 when it fails.
int64_t TimeOf(const agents::BoundRule& rule, const HostileEvents& events, size_t batch);

/// The first difference, as a sentence; empty when there is none.
std::string DifferenceOf(const Transcript& expected, const Transcript& found,
                         const HostileEvents& events);

}  // namespace caracal::pipeline
