#pragma once

#include <cstdint>
#include <optional>

#include "pipeline/snapshot/bucket_chunks.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/state_log.h"
#include "pipeline/snapshot/state_topics.h"
#include "pipeline/types/bucket_copy.h"

namespace caracal::pipeline {

/// A copy whose chunks are all acknowledged.
struct PublishedSnapshot {
  LeasePtr lease;
  BucketPlace place;
  SnapshotId id;
};

/// Writes copies of buckets in the order that keeps the state topic usable at any moment: all
/// chunks of the new set, their acknowledgements, and only then tombstones for the older sets.
///
/// Between the epoch that has committed and the StateLog. One thread. A copy that was given up on
/// is found again through its catalog by the next one of its bucket.
class SnapshotWriter {
 public:
  /// All must outlive this. `value_bytes_max` as in BucketChunks.
  SnapshotWriter(const StateTopics& topics, SnapshotCatalogs& catalogs, StateLog& log,
                 size_t value_bytes_max = BucketChunks::kValueBytesMax)
      : topics_(topics), catalogs_(catalogs), log_(log), value_bytes_max_(value_bytes_max) {}

  /// Takes the image out of `copy`. nullopt = given up; changes whose base is not known to be
  /// complete are not written at all.
  std::optional<PublishedSnapshot> Publish(BucketCopy& copy);
  /// Deletes what `snapshot` has replaced. False when there was nothing, or it was given up.
  bool DeleteReplaced(const PublishedSnapshot& snapshot);

 private:
  const StateTopics& topics_;
  SnapshotCatalogs& catalogs_;
  StateLog& log_;
  const size_t value_bytes_max_;
};

}  // namespace caracal::pipeline
