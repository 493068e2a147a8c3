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
/// kChunkBytes, then further chunks of kChunkBytes that never move. Freed records are used again
/// before anything grows; nothing is given back until the slab goes. At most 32 GiB (CHECK).
/// Movable; a moved-from slab may only be destroyed or assigned to. One thread at a time.
class RecordSlab {
 public:
  using Handle = uint32_t;

  static constexpr size_t kChunkBytes = size_t{256} << 10;

  /// `stride`: bytes from one record to the next; a multiple of 8 (and of the records' alignment,
  /// at most 64), at most kChunkBytes / 2. `pool` null = blocks from the heap; else it must outlive
  /// the slab.
  explicit RecordSlab(size_t stride, HugePagePool* pool = nullptr);

  /// Makes the first block of an empty slab (CHECK) as large as `records` records need, at most
  /// kChunkBytes.
  void Reserve(size_t records);
  /// A zeroed record. Invalidates pointers, never handles.
  Handle Allocate();
  void Free(Handle handle);

  std::byte* At(Handle handle) const {
    return chunks_[handle >> kOffsetBits].data() + size_t{handle & kOffsetMask} * kUnitBytes;
  }
  /// Bytes allocated.
  size_t bytes() const { return bytes_; }

 private:
  // A handle is a chunk number and an offset in the chunk, counted in units of 8 bytes.
  static constexpr size_t kUnitBytes = 8;
  static constexpr int kOffsetBits = 15;
  static constexpr uint32_t kOffsetMask = (1U << kOffsetBits) - 1;
  static constexpr size_t kChunksMax = size_t{1} << (32 - kOffsetBits);
  static constexpr Handle kNoHandle = 0xFFFFFFFFU;
  static_assert(kChunkBytes == kUnitBytes << kOffsetBits);

  void Grow();
  void AddChunk(size_t bytes);

  size_t stride_;
  HugePagePool* pool_;
  std::vector<MemoryBlock> chunks_;
  size_t bytes_ = 0;
  /// Offset of the first record of the last chunk that was never handed out.
  size_t fresh_ = 0;
  /// Head of the list of freed records; each begins with the handle of the next.
  Handle free_ = kNoHandle;
};

}  // namespace caracal::agents
