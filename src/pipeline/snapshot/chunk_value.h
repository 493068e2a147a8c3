#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agents/state/state_digest.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline {

/// What every chunk of a snapshot says of the whole: chunks belong together only when they agree.
struct SnapshotDescription {
  uint32_t chunks = 0;  ///< 1 to kMaxChunks
  /// Buckets per partition and BucketImage::SeedFingerprint: which keys are in the bucket.
  uint32_t buckets = 0;
  uint64_t seed_fingerprint = 0;
  uint64_t image_bytes = 0;
  agents::StateDigest image_digest;  ///< XXH3-128
  /// Of changes: image_digest of their base. Zero for a whole snapshot.
  agents::StateDigest base_digest = {};

  friend bool operator==(const SnapshotDescription&, const SnapshotDescription&) = default;
};

/// The value of a chunk's record: a header and a piece of the image. All numbers little-endian.
///
///   0   4  "CRCB"
///   4   2  format, the same as in the key
///   6   2  bytes of this header, where the data begins; fields may be appended to it
///   8   16 XXH3-128 over the key's length (8 bytes), the key, and the value without these 16 bytes
///   24  4  codec of the image: 0 = as it is (compression is the producer's)
///   28  4  index
///   32  4  number of chunks
///   36  4  buckets per partition
///   40  8  offset
///   48  8  fingerprint of the hash seed
///   56  16 layout
///   72  8  bytes of the whole image
///   80  16 XXH3-128 of the whole image
///   96  -  data; of changes:
///   96  16 XXH3-128 of the image of their base
///   112 -  data
struct ChunkValue {
  static constexpr size_t kHeaderBytes = 96;
  static constexpr size_t kChangesHeaderBytes = 112;
  static constexpr uint32_t kMaxChunks = uint32_t{1} << 16;

  SnapshotDescription snapshot;
  std::string_view data;  ///< of the caller

  /// Bytes of the header of a chunk of this snapshot.
  static size_t HeaderBytes(const SnapshotId& id) {
    return id.is_whole() ? kHeaderBytes : kChangesHeaderBytes;
  }
};

/// What the bytes of a value are.
enum class ChunkVerdict : uint8_t {
  kIntact,
  /// Written by a version that knows more: intact, but its codec is not known here.
  kNewerFormat,
  /// Changed, cut off, or written under another key.
  kDamaged,
};

/// The value for a chunk with this key, whose text is `key_text` (FormatChunkKey).
std::string EncodeChunkValue(const ChunkKey& key, std::string_view key_text,
                             const ChunkValue& value);
/// Reads a value found under that key. Never fails on any bytes. `value` is meaningful for kIntact
/// only; its data points into `bytes`.
[[nodiscard]] ChunkVerdict DecodeChunkValue(const ChunkKey& key, std::string_view key_text,
                                            std::string_view bytes, ChunkValue& value);

/// The digest that belongs to bytes 8 to 23 of `bytes`, which must be a header at least.
agents::StateDigest DigestOfChunk(std::string_view key_text, std::string_view bytes);
/// XXH3-128 of an image.
agents::StateDigest DigestOfImage(std::string_view image);

}  // namespace caracal::pipeline
