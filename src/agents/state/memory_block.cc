#include "agents/state/memory_block.h"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace caracal::agents {
namespace {

constexpr size_t kCacheLineBytes = 64;

size_t AlignmentOf(size_t bytes) {
  return bytes >= kHugePageBytes ? kHugePageBytes : kCacheLineBytes;
}

}  // namespace

MemoryBlock::MemoryBlock(size_t bytes) : MemoryBlock() {
  auto* data =
      static_cast<std::byte*>(::operator new (bytes, std::align_val_t{AlignmentOf(bytes)}));
  data_ = {data, Free{bytes}};
}

void MemoryBlock::PreferHugePages() {
#if defined(__linux__)
  const size_t whole_pages = size() / kHugePageBytes * kHugePageBytes;
  if (whole_pages == 0) return;
  // A hint only: a kernel without transparent huge pages refuses it, and nothing is lost but speed.
  [[maybe_unused]] const int refused = madvise(data(), whole_pages, MADV_HUGEPAGE);
#endif
}

void MemoryBlock::Free::operator()(std::byte* data) const {
  ::operator delete (data, std::align_val_t{AlignmentOf(bytes)});
}

}  // namespace caracal::agents
