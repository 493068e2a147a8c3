#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/types/bucket_copy.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// A copy has become durable.
struct SavedBucket {
  LeasePtr lease;
  uint32_t bucket = 0;
  int64_t offset = 0;
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
  /// C: no bucket may hold effects of records at or above this.
  int64_t committed = 0;
};

/// Reads copies back. Restore thread only.
class SnapshotLoader {
 public:
  virtual ~SnapshotLoader() = default;

  /// For every request the newest usable copy of each bucket, as many as there are, in the order of
  /// the requests. Copies that are damaged, too new or of another layout are passed over and
  /// logged. Unavailable = try again; other errors are final. Returns soon once stopped.
  virtual absl::StatusOr<std::vector<std::shared_ptr<const RestoredState>>> Load(
      std::span<const RestoreRequest> requests) = 0;
  /// Any thread.
  virtual void Stop() = 0;
};

}  // namespace caracal::pipeline
