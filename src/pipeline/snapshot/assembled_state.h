#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agents/state/state_digest.h"
#include "pipeline/snapshot/snapshot_catalog.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline {

/// What is wanted of one partition of the state topic.
struct AssemblerOptions {
  std::string topic;  ///< of the source
  int32_t partition = 0;
  uint32_t buckets = 0;           ///< per partition
  uint64_t seed_fingerprint = 0;  ///< BucketImage::SeedFingerprint
  agents::StateDigest layout;     ///< StateLayout::id of the rules in effect
  /// C: snapshots with a greater offset are not taken.
  int64_t committed = 0;
  /// Snapshots of other layouts are taken up to this offset, that of the rules' activation; -1 =
  /// none.
  int64_t carry_over_until = -1;
  /// Bytes of images and of chunks that may yet become one; for the moment in which an image is put
  /// together, its own size comes on top.
  size_t held_bytes_max = size_t{1} << 30;
  /// Chunks known of, at most about 300 bytes each.
  size_t known_chunks_max = 100'000;
};

/// A complete snapshot whose digests are right: a whole one, and perhaps the changes since.
struct AssembledSnapshot {
  uint32_t bucket = 0;
  SnapshotId id;  ///< of the changes if there are some
  std::string image;
  std::string changes = {};  ///< to `image`; empty = none

  /// The same without the changes.
  SnapshotId WholeId() const { return id.is_whole() ? id : id.BaseId(); }
};

/// A snapshot that is complete in the topic and better than what was put together, but was not
/// held: it did not fit, it lost to one that was deleted or changed later, or it is of changes to
/// another whole one than the newest, which our writers do not make. Read again or replay.
struct MissedSnapshot {
  uint32_t bucket = 0;
  SnapshotId id;

  friend bool operator==(const MissedSnapshot&, const MissedSnapshot&) = default;
};

/// What became of the records. `records` is the sum of the others up to `duplicates`.
struct AssemblerCounts {
  uint64_t records = 0;
  uint64_t chunks = 0;      ///< intact, ours
  uint64_t tombstones = 0;  ///< of our chunks
  uint64_t damaged = 0;     ///< chunks that were changed or cut off
  uint64_t older_format = 0;
  uint64_t newer_format = 0;
  uint64_t other_place = 0;  ///< chunks of another topic or partition
  uint64_t other_kind = 0;
  uint64_t malformed = 0;     ///< keys that Caracal does not write
  uint64_t beyond_limit = 0;  ///< chunks not noted: known_chunks_max

  uint64_t duplicates = 0;      ///< chunks that were there already
  uint64_t other_scheme = 0;    ///< chunks made with another hash seed or number of buckets
  uint64_t dropped_chunks = 0;  ///< chunks not held: held_bytes_max
  uint64_t damaged_images = 0;  ///< snapshots of intact chunks with a wrong digest
  uint64_t without_base = 0;    ///< complete changes whose base is not there, complete
};

/// What a partition of the state topic holds.
struct AssembledState {
  /// By bucket, at most one each: the newest complete one of the layout wanted, up to C, with the
  /// newest complete changes to it, up to C.
  std::vector<AssembledSnapshot> snapshots;
  /// The same for other layouts, up to carry_over_until.
  std::vector<AssembledSnapshot> carry_over;
  std::vector<MissedSnapshot> missed;
  /// By bucket: everything there is, complete or not, whatever the offset and layout.
  std::map<uint32_t, SnapshotCatalog> catalogs;
  AssemblerCounts counts;
};

}  // namespace caracal::pipeline
