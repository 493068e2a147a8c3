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

void AdviseHugePages([[maybe_unused]] std::byte* data, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
  // A hint only: a kernel without transparent huge pages refuses it, and nothing is lost but speed.
  const size_t whole_pages = bytes / kHugePageBytes * kHugePageBytes;
  [[maybe_unused]] const int refused = madvise(data, whole_pages, MADV_HUGEPAGE);
#endif
}

}  // namespace

MemoryBlock::MemoryBlock(size_t bytes, PageHint hint) : MemoryBlock() {
  auto* data =
      static_cast<std::byte*>(::operator new (bytes, std::align_val_t{AlignmentOf(bytes)}));
  data_ = {data, Free{bytes}};
  // Before the first touch: the pages are then huge from the start.
  if (hint == PageHint::kHuge && bytes >= kHugePageBytes) AdviseHugePages(data, bytes);
}

void MemoryBlock::Free::operator()(std::byte* data) const {
  ::operator delete (data, std::align_val_t{AlignmentOf(bytes)});
}

}  // namespace caracal::agents
