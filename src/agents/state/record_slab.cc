#include "agents/state/record_slab.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "agents/api/check.h"

namespace caracal::agents {
namespace {

/// The first block holds four records, or one where four would not be tiny.
constexpr size_t kTinyBytes = 1024;

}  // namespace

RecordSlab::RecordSlab(size_t stride, HugePagePool* pool) : stride_(stride), pool_(pool) {
  CHECK(stride >= sizeof(Handle) && stride % kUnitBytes == 0 && stride <= kMaxStride);
}

RecordSlab::Handle RecordSlab::Allocate() {
  Handle handle = free_;
  if (handle != kNoHandle) {
    std::memcpy(&free_, At(handle), sizeof(free_));
  } else {
    // The first chunk may grow to its greatest size and still have no room for one of this stride.
    while (chunks_.empty() || fresh_ + stride_ > chunks_.back().size()) Grow();
    handle = static_cast<Handle>((last_step_ << kOffsetBits) + fresh_ / kUnitBytes);
    fresh_ += stride_;
  }
  std::memset(At(handle), 0, stride_);
  return handle;
}

void RecordSlab::Free(Handle handle) {
  std::memcpy(At(handle), &free_, sizeof(free_));
  free_ = handle;
}

void RecordSlab::Grow() {
  const size_t chunk_bytes = ChunkBytes(stride_);
  if (chunks_.size() == 1 && chunks_[0].size() < chunk_bytes) {
    MemoryBlock grown(std::min(2 * chunks_[0].size(), chunk_bytes), pool_);
    std::memcpy(grown.data(), chunks_[0].data(), fresh_);
    chunks_[0] = std::move(grown);
    bytes_ = chunks_[0].size();
    TakeSteps();
    return;
  }
  const size_t first_bytes = 4 * stride_ <= kTinyBytes ? 4 * stride_ : stride_;
  AddChunk(chunks_.empty() ? first_bytes : chunk_bytes);
}

void RecordSlab::Reserve(size_t records) {
  CHECK(chunks_.empty());
  if (records == 0) return;
  const size_t chunk_bytes = ChunkBytes(stride_);
  AddChunk(records < chunk_bytes / stride_ ? records * stride_ : chunk_bytes);
}

void RecordSlab::AddChunk(size_t bytes) {
  chunks_.emplace_back(bytes, pool_);
  bytes_ += bytes;
  fresh_ = 0;
  last_step_ = steps_.size();
  TakeSteps();
}

void RecordSlab::TakeSteps() {
  const MemoryBlock& chunk = chunks_.back();
  steps_.resize(last_step_);
  for (size_t at = 0; at < chunk.size(); at += kStepBytes) steps_.push_back(chunk.data() + at);
  CHECK(steps_.size() <= kStepsMax);
}

}  // namespace caracal::agents
