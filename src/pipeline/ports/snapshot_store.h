#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/types/activation.h"
#include "pipeline/types/bucket_copy.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// A copy has become durable.
struct SavedBucket {
  LeasePtr lease;
  uint32_t bucket = 0;
  int64_t offset = 0;
  bool is_whole = true;  ///< changes may be saved to it
};

/// Takes copies of buckets and makes them durable, in its own time: a cache of what replay would
/// give. A copy that is lost costs time at the next restore, nothing else. Ingest thread only.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;

  /// Takes copies whose offsets are committed. Never blocks.
  virtual void Save(std::vector<BucketCopy> snapshots) = 0;
  /// Copies that are durable since the last call.
  virtual std::vector<SavedBucket> TakeSaved() = 0;
  /// So much is on its way that no more copies should be made now.
  virtual bool Busy() const = 0;
};

/// A partition whose state is to be read back.
struct RestoreRequest {
  LeasePtr lease;
  /// C: no bucket may hold effects of records at or above this; -1 = the group has never committed:
  /// the partition is only looked at.
  int64_t committed = -1;
  /// What the state is to rest on, by offset; the last one is of this process's rules. Empty for a
  /// partition that was never committed.
  std::vector<Activation> activations = {};
  /// Another program has set the offset: nobody knows what copies rest on that were made while
  /// rules changed.
  bool assumed = false;
};

/// What the state topic holds of a partition.
struct LoadedState {
  /// The copies that can be used, at most one per bucket. Never null.
  std::shared_ptr<const RestoredState> buckets = std::make_shared<const RestoredState>();
  /// A bucket without a copy is rebuilt from here on.
  int64_t base = 0;
  /// Where the state of every rule in effect begins.
  std::vector<StateStart> starts = {};
  /// The greatest offset of any copy, usable or not; -1 = there is none.
  int64_t newest = -1;
  /// Rules have been recorded for the partition, which happens once an offset is committed.
  bool has_rules = false;
};

/// Reads copies back, and keeps the text of the rules. Restore thread only.
class SnapshotLoader {
 public:
  virtual ~SnapshotLoader() = default;

  /// For every request the newest usable copy of each bucket, as many as there are, in the order of
  /// the requests. Copies that are damaged or of other rules than the activations say are passed
  /// over and logged; those beyond C, of a group that was set back, are deleted, and all of them
  /// where it is not known what they rest on, once `offsets` say that C is still committed: else a
  /// next owner has saved them. Unavailable = try again; other errors are final. Returns soon once
  /// stopped.
  virtual absl::StatusOr<std::vector<LoadedState>> Load(std::span<const RestoreRequest> requests,
                                                        OffsetStore& offsets) = 0;
  /// Makes sure that the text of the rules in effect can be found in the partitions' state topics,
  /// which Load has read. Unavailable = try again.
  virtual absl::Status RecordRules(std::span<const LeasePtr> leases) = 0;
  /// Any thread.
  virtual void Stop() = 0;
};

}  // namespace caracal::pipeline
