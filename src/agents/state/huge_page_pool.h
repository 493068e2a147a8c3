#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace caracal::agents {

/// Bytes per huge page: the size and alignment from which one can back a block.
inline constexpr size_t kHugePageBytes = size_t{2} << 20;

/// Lends blocks of memory cut from huge pages, so that hundreds of tables of a megabyte each are
/// looked up with as few TLB misses as one big table: on pages of 4 KiB nearly every random access
/// pays for a page walk first, and walks do not overlap as loads do.
///
/// Must outlive all blocks (CHECK). Blocks are rounded up to kUnitBytes;
/// the smallest free piece that fits is used, adjoining pieces are joined, a page goes back as soon
/// as all of it is free. Blocks of whole kEvenBytes, which fill pages without a rest, have pages of
/// their own: between blocks of other lengths, which come and go as indexes grow, a twentieth of
/// the memory stayed unused. Where the kernel has no huge pages to give, nothing is lost but speed.
/// Out of memory throws std::bad_alloc, as `new` does. Costs a tree look-up per call: for blocks
/// that grow with content, not for single records. Any thread: a table may be made by one and kept
/// by another.
class HugePagePool {
 public:
  static constexpr size_t kUnitBytes = 4096;
  static constexpr size_t kEvenBytes = size_t{64} << 10;
  static constexpr size_t kSpanBytes = 4 * kHugePageBytes;
  /// Longer blocks fill huge pages of their own.
  static constexpr size_t kBlockBytesMax = kHugePageBytes;

  HugePagePool() = default;
  HugePagePool(const HugePagePool&) = delete;
  HugePagePool& operator=(const HugePagePool&) = delete;
  ~HugePagePool();

  /// Uninitialised, aligned to kUnitBytes. `bytes` in (0, kBlockBytesMax].
  std::byte* Allocate(size_t bytes);
  /// `block` from Allocate(bytes).
  void Free(std::byte* block, size_t bytes);

  /// Bytes of all spans, lent or not; what was never lent of the last one may not be backed yet.
  size_t bytes() const;

 private:
  /// Free pieces; none crosses from one span into another.
  struct Pieces {
    std::map<uintptr_t, size_t> by_place;
    std::set<std::pair<size_t, uintptr_t>> by_size;

    void Add(uintptr_t place, size_t bytes);
    void Remove(uintptr_t place, size_t bytes);
  };

  /// Those of the spans where blocks of `bytes` lie; with the mutex held.
  Pieces& PiecesFor(size_t bytes) { return pieces_[bytes % kEvenBytes == 0 ? 1 : 0]; }

  mutable std::mutex mutex_;  // guards all below
  std::array<Pieces, 2> pieces_;
  size_t spans_ = 0;
};

}  // namespace caracal::agents
