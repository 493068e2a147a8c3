#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agents/state/memory_block.h"

namespace caracal::agents {

/// Hands out zeroed records of one size, named by 32-bit handles that stay valid while the slab
/// grows (pointers do not).
///
/// Memory grows with content: nothing before the first record, then one block that doubles up to
/// ChunkBytes(stride), then further chunks of that size that never move. Chunks are as small as
/// they are because a slab's last one is half empty on average, and all of one size because the
/// slabs of a stream grow in step: what one frees the others have no use for. Freed records are
/// used again before anything grows; nothing is given back until the slab goes. At most 32 GiB
/// (CHECK). Movable; a moved-from slab may only be destroyed or assigned to. One thread at a time.
class RecordSlab {
 public:
  using Handle = uint32_t;

  static constexpr size_t kMaxStride = size_t{128} << 10;
  /// Bytes of a chunk of records of that stride.
  static constexpr size_t ChunkBytes(size_t stride) {
    return stride <= kShortStride ? kStepBytes : 4 * kStepBytes;
  }

  /// `stride`: bytes from one record to the next; a multiple of 8 (and of the records' alignment,
  /// at most 64), at most kMaxStride. `pool` null = blocks from the heap; else it must outlive
  /// the slab.
  explicit RecordSlab(size_t stride, HugePagePool* pool = nullptr);

  /// Makes the first block of an empty slab (CHECK) as large as `records` records need, at most a
  /// chunk.
  void Reserve(size_t records);
  /// A zeroed record. Invalidates pointers, never handles.
  Handle Allocate();
  void Free(Handle handle);

  std::byte* At(Handle handle) const {
    return steps_[handle >> kOffsetBits] + size_t{handle & kOffsetMask} * kUnitBytes;
  }
  /// Bytes allocated.
  size_t bytes() const { return bytes_; }

 private:
  // A handle is the number of a step and an offset in it, counted in units of 8 bytes. A chunk of
  // short records is one step, one of long records several.
  static constexpr size_t kUnitBytes = 8;
  static constexpr int kOffsetBits = 13;
  static constexpr uint32_t kOffsetMask = (1U << kOffsetBits) - 1;
  static constexpr size_t kStepBytes = kUnitBytes << kOffsetBits;  // 64 KiB
  static constexpr size_t kStepsMax = size_t{1} << (32 - kOffsetBits);
  static constexpr size_t kShortStride = 2048;
  static constexpr Handle kNoHandle = 0xFFFFFFFFU;

  void Grow();
  void AddChunk(size_t bytes);
  /// Notes where the steps of the last chunk are.
  void TakeSteps();

  size_t stride_;
  HugePagePool* pool_;
  std::vector<std::byte*> steps_;  // where each begins: as little as possible for At to load
  std::vector<MemoryBlock> chunks_;
  size_t last_step_ = 0;  // the first step of the last chunk
  size_t bytes_ = 0;
  /// Offset of the first record of the last chunk that was never handed out.
  size_t fresh_ = 0;
  /// Head of the list of freed records; each begins with the handle of the next.
  Handle free_ = kNoHandle;
};

}  // namespace caracal::agents
