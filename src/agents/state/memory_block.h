#pragma once

#include <cstddef>
#include <memory>

namespace caracal::agents {

/// Bytes per huge page: the size and alignment from which one can back a block.
inline constexpr size_t kHugePageBytes = size_t{2} << 20;

/// Owns one block of uninitialised memory: a piece of a key table.
///
/// Movable, moved-from = empty. One thread at a time. The block starts at a multiple of 64, or of
/// kHugePageBytes when it is at least that long. Out of memory throws std::bad_alloc, as `new`
/// does.
class MemoryBlock {
 public:
  MemoryBlock() : data_(nullptr, Free{0}) {}
  explicit MemoryBlock(size_t bytes);

  /// Asks the kernel to back the whole huge pages of the block with such: at first touch what was
  /// never touched, in the background the rest. Fewer TLB misses for random access over tens of
  /// megabytes; memory wasted where a block stays half empty.
  void PreferHugePages();

  std::byte* data() const { return data_.get(); }
  size_t size() const { return data_ == nullptr ? 0 : data_.get_deleter().bytes; }

 private:
  struct Free {
    size_t bytes;
    void operator()(std::byte* data) const;
  };

  std::unique_ptr<std::byte, Free> data_;  // the deleter knows the size
};

}  // namespace caracal::agents
