#pragma once

#include <array>
#include <memory>
#include <vector>

#include "agents/api/ruleset.h"
#include "pipeline/base/cell.h"
#include "pipeline/types/epoch_share.h"

namespace caracal::pipeline {

/// Totals of one rule. Written by the ingest thread at epoch boundaries.
struct RuleProbe {
  Counter evaluations;
  Counter fired;
  Counter late;
  Counter inactive;
  Counter at_least;
  Counter errors;

  void Add(const RuleCounts& counts);
};

struct RulesetProbe {
  explicit RulesetProbe(size_t rule_count) : rules(rule_count) {}
  std::array<Counter, agents::kSeverityCount> alerts;  ///< by severity
  std::vector<RuleProbe> rules;

  void Add(const RulesetCounts& counts);
};

/// Totals of one stream. The conservation law holds between any two epoch boundaries.
struct StreamProbe {
  Counter consumed;
  Counter consumed_bytes;
  Counter evaluated;
  Counter warmed;
  Counter replayed;
  Counter time_from_source_commit;
  Counter time_from_record;
  Counter full_parses;
  std::array<Counter, kSkipReasonCount> skipped;
  std::array<Counter, kRejectReasonCount> rejected;
  Counter key_mismatches;  ///< sampled record keys that are not the account
  Gauge state_keys;
  Gauge state_bytes;
  Counter state_evictions;
  DurationHistogram cdc_delay;  ///< database commit → Kafka append
  std::vector<std::unique_ptr<RulesetProbe>> rulesets;

  void Add(const StreamCounts& counts);
};

/// What the ingest thread counts. Written by the ingest thread only.
struct EngineProbe {
  explicit EngineProbe(size_t stream_count);
  std::vector<std::unique_ptr<StreamProbe>> streams;
  Counter polls;
  Counter full_polls;  ///< polls that returned as much as they may: the engine lags
  Counter backpressure_micros;
  Gauge pending_output_bytes;
  Gauge queued_batches;
  Gauge paused_partitions;
  Counter epochs_closed;
  Gauge replay_rate;
  Gauge replay_budget;  ///< records per second as measured; 0 = not yet
};

}  // namespace caracal::pipeline
