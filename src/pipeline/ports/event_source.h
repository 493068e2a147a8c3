#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/types/bucket_copy.h"
#include "pipeline/types/partition_lease.h"
#include "pipeline/types/record_batch.h"

namespace caracal::pipeline {

/// The member owns the partition and its records will follow, from position.replay_from on.
struct PartitionOpened {
  LeasePtr lease;
  StartPosition position;
  /// State read back; null = none: it is rebuilt from position.replay_from on.
  std::shared_ptr<const RestoredState> state;
};

/// The group takes the partition away; the lease has lapsed and no further record of it will
/// follow. The source keeps it assigned until Release(), so that an epoch in a transaction can end.
struct PartitionRevoked {
  LeasePtr lease;
  /// The member was fenced or timed out: another member may already own it. Nothing to wait for.
  bool lost = false;
};

using PartitionChange = std::variant<PartitionOpened, PartitionRevoked>;

/// One poll: ownership changes first, then records of partitions that are open.
struct PollResult {
  std::vector<PartitionChange> changes;
  std::shared_ptr<RecordBatch> records;  ///< null = none
};

/// Delivers the records of the partitions this member owns, each partition in offset order, at
/// least once. All calls on the ingest thread.
class EventSource {
 public:
  virtual ~EventSource() = default;

  /// Waits at most `max_wait` for records; serves the group (heartbeats, rebalances) meanwhile.
  /// `want_records` false = serve the group only: the pipeline is full. An error is final: the
  /// message says what happened and what to do.
  virtual absl::Status Poll(absl::Duration max_wait, bool want_records, PollResult& result) = 0;

  /// The engine is done with revoked partitions: they may go to their next owner.
  virtual void Release(std::span<const LeasePtr> leases) = 0;
  /// Stops delivering the partition; records at or above `from` are delivered again after Resume.
  virtual absl::Status Pause(const LeasePtr& lease, int64_t from) = 0;
  virtual absl::Status Resume(const LeasePtr& lease) = 0;

  /// Consumer group metadata for a transaction, read now; empty when the group has no valid
  /// generation and member id (nothing may be committed then).
  virtual std::string GroupMetadata() = 0;

  /// Makes a Poll that waits return soon: another thread has something for the ingest thread. Any
  /// thread.
  virtual void Wake() = 0;

  /// Leaves the group. Bounded by `timeout`. No call may follow.
  virtual absl::Status Close(absl::Duration timeout) = 0;
};

}  // namespace caracal::pipeline
