#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/base/plugin_probe.h"

namespace caracal::pipeline {

struct ConformanceRequest {
  /// Path of the library; a relative one is taken from the working directory.
  std::string path;
  /// The rule's parameters as in a rule file ("max: 20, window: 60s"); empty = defaults.
  std::string parameters;
  /// Names of values of earlier rules that the parameters refer to ("burst.count").
  std::vector<std::string> features;
  size_t events = 100'000;
  uint32_t seed = 1;
  /// Longest time for one check, in seconds.
  uint32_t timeout_s = 60;
};

struct ConformanceCheck {
  std::string name;
  std::string finding;  ///< a sentence; empty = the plugin keeps to it
};

/// Median time of an event of a fresh agent, in batches of one size.
struct ConformanceTiming {
  size_t batch = 0;
  double ns_per_event = 0;
};

struct ConformanceReport {
  PluginIdentity plugin;  ///< empty fields when it could not be loaded
  std::vector<ConformanceCheck> checks;
  std::vector<ConformanceTiming> timings;  ///< empty when a check has a finding
  /// Events the plugin itself reported an error with: allowed, where it did not promise otherwise.
  uint64_t event_errors = 0;

  bool passed() const;
};

/// Tries a plugin out before production does: loads it as the engine would, makes a rule of it, and
/// has it judge hostile events in every way the engine may choose, each in a process of its own.
///
///   load                 file, symbol, versions, table, schema: everything the engine refuses
///   parameters           the rule is made, again and again
///   hostile_events       no crash, no failure, no verdict that cannot be, promises kept
///   state_bounds         not a byte before or behind a state
///   same_twice           the same events, the same verdicts and states
///   other_batches        in batches of other sizes
///   several_instances    by several agents in turn: nothing is kept in an agent
///   saved_and_restored   with states moved and agents made anew in between
///
/// Ends after the first of load, parameters and hostile_events that has a finding: what follows
/// would only repeat it. Only where this process has a single thread: the library is loaded into
/// it.
ConformanceReport CheckPlugin(const ConformanceRequest& request);

}  // namespace caracal::pipeline
