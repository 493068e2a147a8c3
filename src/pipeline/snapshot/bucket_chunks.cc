#include "pipeline/snapshot/bucket_chunks.h"

#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {

BucketChunks::BucketChunks(BucketSnapshot snapshot, size_t value_bytes_max)
    : snapshot_(std::move(snapshot)),
      data_bytes_max_(value_bytes_max - ChunkValue::HeaderBytes(snapshot_.id)) {
  CHECK(value_bytes_max > ChunkValue::HeaderBytes(snapshot_.id) && !snapshot_.image.empty());
  const size_t chunks = (snapshot_.image.size() + data_bytes_max_ - 1) / data_bytes_max_;
  CHECK(chunks <= ChunkValue::kMaxChunks);
  description_ = {.chunks = static_cast<uint32_t>(chunks),
                  .buckets = snapshot_.buckets,
                  .seed_fingerprint = snapshot_.seed_fingerprint,
                  .image_bytes = snapshot_.image.size(),
                  .image_digest = DigestOfImage(snapshot_.image),
                  .base_digest = snapshot_.base_digest};
}

StateRecord BucketChunks::Record(uint32_t index) const {
  CHECK(index < size());
  const ChunkKey key = {snapshot_.place, snapshot_.id, index};
  const std::string_view image = snapshot_.image;
  StateRecord record;
  record.key = FormatChunkKey(key);
  record.value = EncodeChunkValue(
      key, record.key, {description_, image.substr(index * data_bytes_max_, data_bytes_max_)});
  return record;
}

}  // namespace caracal::pipeline
