#pragma once

#include <cstddef>
#include <memory>

#include "agents/state/huge_page_pool.h"

namespace caracal::agents {

/// Asks the kernel to back the whole huge pages within [data, data + bytes) with such, when they
/// are first touched; touched ones may follow in the background. A hint only: a kernel without
/// transparent huge pages refuses it, and nothing is lost but speed.
void AdviseHugePages(std::byte* data, size_t bytes);

/// Owns one block of uninitialised memory: a piece of a key table.
///
/// From the pool when there is one and the block is neither tiny nor long; a long block begins at a
/// huge page of its own. Movable, moved-from = empty. One thread at a time; the pool must outlive
/// the block. The block starts at a multiple of 64, or of kHugePageBytes when it is at least that
/// long. Out of memory throws std::bad_alloc, as `new` does.
class MemoryBlock {
 public:
  MemoryBlock() : data_(nullptr, Free{0, nullptr}) {}
  /// `pool` null = from the heap.
  MemoryBlock(size_t bytes, HugePagePool* pool);

  std::byte* data() const { return data_.get(); }
  size_t size() const { return data_ == nullptr ? 0 : data_.get_deleter().bytes; }

 private:
  struct Free {
    size_t bytes;
    HugePagePool* pool;  // null = it is from the heap
    void operator()(std::byte* data) const;
  };

  std::unique_ptr<std::byte, Free> data_;  // the deleter knows where it is from
};

}  // namespace caracal::agents
