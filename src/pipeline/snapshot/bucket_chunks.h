#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/snapshot/chunk_value.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline {

/// One record for the state topic.
struct StateRecord {
  std::string key;
  std::string value;
};

/// A bucket at an offset, as it goes to the state topic.
struct BucketSnapshot {
  BucketPlace place;
  SnapshotId id;
  uint32_t buckets = 0;  ///< per partition
  /// BucketImage::SeedFingerprint of the stream's hash seed.
  uint64_t seed_fingerprint = 0;
  std::string image;  ///< of BucketState::AppendTo, or of AppendChangesTo
  /// Of changes: DigestOfImage of their base.
  agents::StateDigest base_digest = {};
};

/// Cuts a snapshot into records for the state topic, one at a time.
///
/// Between the worker that made the image and the producer. Owns the snapshot; immutable, any
/// thread. Every chunk names its snapshot, its place in it, and digests of itself and of the whole,
/// so that BucketAssembler needs nothing else. Broken limits are bugs of ours (CHECK): an empty
/// image, or one of more than ChunkValue::kMaxChunks chunks (32 GiB).
class BucketChunks {
 public:
  /// Bytes of a record's value, header included.
  static constexpr size_t kValueBytesMax = size_t{512} << 10;

  explicit BucketChunks(BucketSnapshot snapshot, size_t value_bytes_max = kValueBytesMax);

  uint32_t size() const { return description_.chunks; }
  /// The record of chunk `index`, below size().
  StateRecord Record(uint32_t index) const;
  const BucketPlace& place() const { return snapshot_.place; }
  const SnapshotId& id() const { return snapshot_.id; }
  const SnapshotDescription& description() const { return description_; }

 private:
  BucketSnapshot snapshot_;
  size_t data_bytes_max_;
  SnapshotDescription description_;
};

}  // namespace caracal::pipeline
