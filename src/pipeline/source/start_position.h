#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/types/bucket_copy.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// What was read about an assigned partition. Views: the bytes belong to the caller.
struct PartitionFacts {
  const PartitionLease& lease;
  int64_t committed = -1;  ///< -1 = the group has never committed
  const std::string& metadata;
  int64_t log_start = 0;
  int64_t log_end = 0;
  /// What was read back; null = the state is not saved.
  const RestoredState* state = nullptr;
  uint32_t buckets = 0;  ///< per partition
};

/// Where a partition starts that the group has committed before: live from the committed offset,
/// replayed from the oldest of its copies, or from the activation where a bucket has none.
/// OutOfRange, with what to do, when the committed offset is not in the log. Pure; any thread.
absl::StatusOr<StartPosition> ContinuedPosition(const PartitionFacts& facts);

/// Where a partition starts that the group has never committed.
StartPosition FreshPosition(int64_t from, int64_t alert_from);
/// FailedPrecondition, with what to do, when the state topic knows a partition that the group has
/// never committed: then it is not fresh.
absl::Status RequireNoState(const PartitionFacts& facts);

}  // namespace caracal::pipeline
