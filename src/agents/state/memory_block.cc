#include "agents/state/memory_block.h"

#include <cstdint>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace caracal::agents {
namespace {

constexpr size_t kCacheLineBytes = 64;

size_t AlignmentOf(size_t bytes) {
  return bytes >= kHugePageBytes ? kHugePageBytes : kCacheLineBytes;
}

bool FitsPool(size_t bytes) {
  return bytes >= HugePagePool::kUnitBytes && bytes <= HugePagePool::kBlockBytesMax;
}

}  // namespace

void AdviseHugePages([[maybe_unused]] std::byte* data, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = (begin + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const uintptr_t end = (begin + bytes) / kHugePageBytes * kHugePageBytes;
  if (first >= end) return;
  [[maybe_unused]] const int refused =
      madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

MemoryBlock::MemoryBlock(size_t bytes, HugePagePool* pool) : MemoryBlock() {
  if (pool != nullptr && FitsPool(bytes)) {
    data_ = {pool->Allocate(bytes), Free{bytes, pool}};
    return;
  }
  auto* data =
      static_cast<std::byte*>(::operator new (bytes, std::align_val_t{AlignmentOf(bytes)}));
  data_ = {data, Free{bytes, nullptr}};
  AdviseHugePages(data, bytes);
}

void MemoryBlock::Free::operator()(std::byte* data) const {
  if (pool != nullptr) {
    pool->Free(data, bytes);
  } else {
    ::operator delete (data, std::align_val_t{AlignmentOf(bytes)});
  }
}

}  // namespace caracal::agents
