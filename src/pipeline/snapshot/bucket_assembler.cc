#include "pipeline/snapshot/bucket_assembler.h"

#include <utility>

#include "pipeline/snapshot/chunk_value.h"

namespace caracal::pipeline {

BucketAssembler::BucketAssembler(AssemblerOptions options)
    : options_(std::move(options)), held_{options_.held_bytes_max, 0} {}

void BucketAssembler::Add(std::string_view key, std::string_view value) {
  ++counts_.records;
  const StateKey parsed = ParseStateKey(key);
  switch (parsed.kind) {
    case StateKeyKind::kOlderFormat:
      ++counts_.older_format;
      return;
    case StateKeyKind::kNewerFormat:
      ++counts_.newer_format;
      return;
    case StateKeyKind::kRules:
    case StateKeyKind::kRuleset:
    case StateKeyKind::kOtherKind:
      ++counts_.other_kind;
      return;
    case StateKeyKind::kMalformed:
      ++counts_.malformed;
      return;
    case StateKeyKind::kChunk:
      break;
  }
  const BucketPlace& place = parsed.chunk.place;
  if (place.topic != options_.topic || place.partition != options_.partition) {
    ++counts_.other_place;
  } else if (value.data() == nullptr) {
    AddTombstone(parsed.chunk);
  } else {
    AddChunk(parsed.chunk, key, value);
  }
}

void BucketAssembler::AddTombstone(const ChunkKey& key) {
  ++counts_.tombstones;
  const auto bucket = buckets_.find(key.place.bucket);
  if (bucket == buckets_.end() || !bucket->second.Remove(key.snapshot, key.index)) return;
  --known_chunks_;
  if (bucket->second.empty()) buckets_.erase(bucket);
}

void BucketAssembler::AddChunk(const ChunkKey& key, std::string_view key_text,
                               std::string_view value) {
  auto bucket = buckets_.find(key.place.bucket);
  if (bucket == buckets_.end() || !bucket->second.Has(key.snapshot, key.index)) {
    if (known_chunks_ == options_.known_chunks_max) {
      ++counts_.beyond_limit;
      return;
    }
    ++known_chunks_;
    bucket =
        buckets_.try_emplace(key.place.bucket, key.place.bucket, options_, held_, counts_).first;
  }
  ChunkValue chunk;
  switch (DecodeChunkValue(key, key_text, value, chunk)) {
    case ChunkVerdict::kIntact:
      ++counts_.chunks;
      bucket->second.Put(key.snapshot, key.index, chunk);
      return;
    case ChunkVerdict::kNewerFormat:
      ++counts_.newer_format;
      break;
    case ChunkVerdict::kDamaged:
      ++counts_.damaged;
      break;
  }
  bucket->second.PutUnusable(key.snapshot, key.index);
}

AssembledState BucketAssembler::Finish() {
  AssembledState state;
  for (auto& [number, bucket] : buckets_) bucket.Finish(state);
  state.counts = counts_;
  return state;
}

}  // namespace caracal::pipeline
