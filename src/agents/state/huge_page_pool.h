#pragma once

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
/// as all of it is free. Where the kernel has no huge pages to give, nothing is lost but speed. Out
/// of memory throws std::bad_alloc, as `new` does. Costs a tree look-up per call: for blocks that
/// grow with content, not for single records. Any thread: a table may be made by one and kept by
/// another.
class HugePagePool {
 public:
  static constexpr size_t kUnitBytes = 4096;
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

  /// Bytes of all pages, lent or not.
  size_t bytes() const;

 private:
  // With the mutex held.
  void AddFree(uintptr_t place, size_t bytes);
  void RemoveFree(uintptr_t place, size_t bytes);

  mutable std::mutex mutex_;  // guards all below
  // Free pieces; none crosses a page.
  std::map<uintptr_t, size_t> free_by_place_;
  std::set<std::pair<size_t, uintptr_t>> free_by_size_;
  size_t pages_ = 0;
};

}  // namespace caracal::agents
