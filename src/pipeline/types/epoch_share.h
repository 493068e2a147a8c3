#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "agents/api/ruleset.h"
#include "pipeline/types/bucket_copy.h"
#include "pipeline/types/epoch.h"
#include "pipeline/types/record_outcome.h"

namespace caracal::pipeline {

/// What became of the records of one stream. Conservation: consumed = evaluated + Σ skipped + Σ
/// rejected at every epoch boundary; replayed records are counted apart, in `replayed` alone.
struct StreamCounts {
  uint64_t consumed = 0;
  uint64_t consumed_bytes = 0;
  uint64_t evaluated = 0;  ///< transactions that changed the state; includes warmed
  uint64_t warmed = 0;     ///< of these, silently: by the op policy or `alert_from`
  uint64_t replayed = 0;
  /// Transactions whose event time is not the mapped field but the source's or the record's clock.
  uint64_t time_from_source_commit = 0;
  uint64_t time_from_record = 0;
  uint64_t full_parses = 0;  ///< records that had no remembered layout; replayed ones, too
  std::array<uint64_t, kSkipReasonCount> skipped = {};
  std::array<uint64_t, kRejectReasonCount> rejected = {};

  void Add(const StreamCounts& other);
  /// True when the conservation law holds.
  bool Conserved() const;
};

/// What one rule did.
struct RuleCounts {
  uint64_t evaluations = 0;
  uint64_t fired = 0;
  uint64_t late = 0;
  uint64_t inactive = 0;
  uint64_t at_least = 0;
  uint64_t errors = 0;

  void Add(const RuleCounts& other);
};

/// What one ruleset did; `rules` has one entry per rule of the file, also for those that are off.
struct RulesetCounts {
  std::array<uint64_t, agents::kSeverityCount> alerts = {};
  std::vector<RuleCounts> rules;
};

/// Counts of one stream, as a worker hands them over.
struct StreamShare {
  StreamCounts counts;
  std::vector<RulesetCounts> rulesets;
};

/// How much state there is.
struct StateSize {
  uint64_t keys = 0;
  uint64_t bytes = 0;
  uint64_t evictions = 0;  ///< since the share before
};

/// How much state a worker holds for one open partition.
struct PartitionStateSize {
  LeasePtr lease;
  StateSize size;
};

/// What one worker contributes to one epoch, handed over at its barrier.
struct EpochShare {
  uint64_t epoch = 0;
  std::vector<OutputRecord> outputs;
  std::vector<StreamShare> streams;  ///< by stream index
  std::vector<PartitionStateSize> state;
  std::vector<BucketCopy> snapshots;
  /// Not OK = an agent broke in this epoch: nothing of it may be used, and the engine stops.
  absl::Status failure;
};

}  // namespace caracal::pipeline
