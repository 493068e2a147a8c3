#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/types/offset_metadata.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// What was read about an assigned partition that the group has committed before. Views: the bytes
/// belong to the caller.
struct PartitionFacts {
  const PartitionLease& lease;
  int64_t committed = 0;
  const std::string& metadata;
  int64_t log_start = 0;
  int64_t log_end = 0;
};

/// What the state of such a partition is to rest on.
struct StatePlan {
  /// The metadata as read; where it is another program's, what is assumed in its place.
  OffsetMetadata recorded;
  /// See activation_plan.h; never empty, the last one is of this process's rules.
  std::vector<Activation> activations;
  /// The metadata is another program's: nothing of this is recorded yet.
  bool assumed = false;

  /// What goes on from `metadata` needs no commit of its own.
  bool IsRecorded(const OffsetMetadata& metadata) const { return !assumed && metadata == recorded; }
};

struct StartPolicy {
  uint32_t buckets = 0;  ///< per partition
  /// Go on with incomplete state where retention has passed what it is made of.
  bool degrade_on_state_gap = false;
};

// Where a partition starts, and with what. Pure; any thread. Errors are sentences for the operator
// that name the way on; nothing has been consumed.

/// OutOfRange when the committed offset is not in the log.
absl::StatusOr<StatePlan> PlanState(const PartitionFacts& facts, const std::string& rules);
/// Live from the committed offset, replayed from the oldest of the copies, or from the base of the
/// state where a bucket has none. FailedPrecondition for a state gap that the policy does not take,
/// or for more activations than can be recorded.
absl::StatusOr<StartPosition> ContinuedPosition(const PartitionFacts& facts, const StatePlan& plan,
                                                const LoadedState& state,
                                                const StartPolicy& policy);

/// Where a partition starts that the group has never committed.
StartPosition FreshPosition(int64_t from, int64_t alert_from, const std::string& rules);
/// FailedPrecondition when the state topic knows a partition that the group has never committed:
/// then it is not fresh.
absl::Status RequireNoState(const PartitionLease& lease, const LoadedState& state);

/// What is recorded with a committed offset so that the next owner starts from this position.
OffsetMetadata MetadataOf(const StartPosition& position);

}  // namespace caracal::pipeline
