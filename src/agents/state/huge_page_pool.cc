#include "agents/state/huge_page_pool.h"

#include <iterator>
#include <new>

#include "agents/api/check.h"
#include "agents/state/memory_block.h"

namespace caracal::agents {
namespace {

constexpr std::align_val_t kPageAlignment{kHugePageBytes};

size_t RoundUp(size_t bytes) {
  constexpr size_t kUnit = HugePagePool::kUnitBytes;
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

bool StartsPage(uintptr_t place) { return place % kHugePageBytes == 0; }

}  // namespace

HugePagePool::~HugePagePool() { CHECK(pages_ == 0); }

size_t HugePagePool::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return pages_ * kHugePageBytes;
}

std::byte* HugePagePool::Allocate(size_t bytes) {
  CHECK(bytes > 0 && bytes <= kBlockBytesMax);
  const size_t wanted = RoundUp(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  auto fit = free_by_size_.lower_bound({wanted, 0});
  if (fit == free_by_size_.end()) {
    auto* page = static_cast<std::byte*>(::operator new(kHugePageBytes, kPageAlignment));
    AdviseHugePages(page, kHugePageBytes);
    ++pages_;
    AddFree(reinterpret_cast<uintptr_t>(page), kHugePageBytes);
    fit = free_by_size_.lower_bound({wanted, 0});
  }
  const auto [size, place] = *fit;
  RemoveFree(place, size);
  if (size > wanted) AddFree(place + wanted, size - wanted);
  return reinterpret_cast<std::byte*>(place);
}

void HugePagePool::Free(std::byte* block, size_t bytes) {
  auto place = reinterpret_cast<uintptr_t>(block);
  size_t size = RoundUp(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto next = free_by_place_.find(place + size);
  if (next != free_by_place_.end() && !StartsPage(next->first)) {
    size += next->second;
    RemoveFree(next->first, next->second);
  }
  const auto above = free_by_place_.upper_bound(place);
  if (above != free_by_place_.begin() && !StartsPage(place)) {
    const auto [previous, previous_size] = *std::prev(above);
    if (previous + previous_size == place) {
      RemoveFree(previous, previous_size);
      place = previous;
      size += previous_size;
    }
  }
  if (size < kHugePageBytes) {
    AddFree(place, size);
    return;
  }
  ::operator delete(reinterpret_cast<std::byte*>(place), kPageAlignment);
  --pages_;
}

void HugePagePool::AddFree(uintptr_t place, size_t bytes) {
  free_by_place_.emplace(place, bytes);
  free_by_size_.emplace(bytes, place);
}

void HugePagePool::RemoveFree(uintptr_t place, size_t bytes) {
  free_by_place_.erase(place);
  free_by_size_.erase({bytes, place});
}

}  // namespace caracal::agents
