#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "pipeline/snapshot/assembled_state.h"
#include "pipeline/snapshot/bucket_snapshots.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline {

/// Puts the snapshots of a partition's buckets together again, from the records of its state
/// topic's partition in log order.
///
/// On the restore thread, between the consumer of the state topic and BucketState::Parse. Whatever
/// the records are, an image it returns is one that was written, whole, under the id it is returned
/// with. The last value of a key counts, as compaction leaves it; a tombstone takes it away. Chunks
/// of a snapshot may come in any order and among those of others.
///
/// Bounded: holds the bytes of a snapshot only while it can win, that is until a newer one is
/// complete, and within held_bytes_max; what does not fit is dropped and counted. A snapshot that
/// is not taken costs time, never correctness: an older one or replay stands in.
///
/// Nothing fails: bad records are counted. Use once; one thread.
class BucketAssembler {
 public:
  explicit BucketAssembler(AssemblerOptions options);
  BucketAssembler(const BucketAssembler&) = delete;
  BucketAssembler& operator=(const BucketAssembler&) = delete;

  /// Takes the next record. data() == nullptr is Kafka null: a record without key, a tombstone.
  void Add(std::string_view key, std::string_view value);
  /// The end of the partition has been reached. Nothing may be called afterwards.
  AssembledState Finish();

  /// Bytes of images and chunks held.
  size_t held_bytes() const { return held_.used; }

 private:
  void AddChunk(const ChunkKey& key, std::string_view key_text, std::string_view value);
  void AddTombstone(const ChunkKey& key);

  const AssemblerOptions options_;
  HeldBytes held_;
  AssemblerCounts counts_;
  size_t known_chunks_ = 0;
  std::map<uint32_t, BucketSnapshots> buckets_;
};

}  // namespace caracal::pipeline
