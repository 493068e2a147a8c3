#pragma once

#include <cstdint>
#include <string>

#include "agents/state/state_digest.h"

namespace caracal::pipeline {

/// Rules take effect on a partition: records from `offset` on are judged by them.
struct Activation {
  int64_t offset = 0;
  /// Identity of the rules (snapshot/rules_manifest.h), 12 hex digits; empty = unknown.
  std::string rules;

  friend bool operator==(const Activation&, const Activation&) = default;
};

/// Where the state of one rule begins on a partition: records below `offset` do not touch it,
/// because other rules were in effect there.
struct StateStart {
  agents::StateDigest state;  ///< StateSlice::id
  int64_t offset = 0;

  friend bool operator==(const StateStart&, const StateStart&) = default;
};

}  // namespace caracal::pipeline
