#include "agents/state/huge_page_pool.h"

#include <iterator>
#include <new>

#include "agents/api/check.h"
#include "agents/state/memory_block.h"

namespace caracal::agents {
namespace {

constexpr std::align_val_t kSpanAlignment{HugePagePool::kSpanBytes};

size_t RoundUp(size_t bytes) {
  constexpr size_t kUnit = HugePagePool::kUnitBytes;
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

bool StartsSpan(uintptr_t place) { return place % HugePagePool::kSpanBytes == 0; }

}  // namespace

HugePagePool::~HugePagePool() { CHECK(spans_ == 0); }

size_t HugePagePool::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return spans_ * kSpanBytes;
}

std::byte* HugePagePool::Allocate(size_t bytes) {
  CHECK(bytes > 0 && bytes <= kBlockBytesMax);
  const size_t wanted = RoundUp(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  Pieces& pieces = PiecesFor(wanted);
  auto fit = pieces.by_size.lower_bound({wanted, 0});
  if (fit == pieces.by_size.end()) {
    auto* span = static_cast<std::byte*>(::operator new(kSpanBytes, kSpanAlignment));
    AdviseHugePages(span, kSpanBytes);
    ++spans_;
    pieces.Add(reinterpret_cast<uintptr_t>(span), kSpanBytes);
    fit = pieces.by_size.lower_bound({wanted, 0});
  }
  const auto [size, place] = *fit;
  pieces.Remove(place, size);
  if (size > wanted) pieces.Add(place + wanted, size - wanted);
  return reinterpret_cast<std::byte*>(place);
}

void HugePagePool::Free(std::byte* block, size_t bytes) {
  auto place = reinterpret_cast<uintptr_t>(block);
  size_t size = RoundUp(bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  Pieces& pieces = PiecesFor(size);
  const auto next = pieces.by_place.find(place + size);
  if (next != pieces.by_place.end() && !StartsSpan(next->first)) {
    size += next->second;
    pieces.Remove(next->first, next->second);
  }
  const auto above = pieces.by_place.upper_bound(place);
  if (above != pieces.by_place.begin() && !StartsSpan(place)) {
    const auto [previous, previous_size] = *std::prev(above);
    if (previous + previous_size == place) {
      pieces.Remove(previous, previous_size);
      place = previous;
      size += previous_size;
    }
  }
  if (size < kSpanBytes) {
    pieces.Add(place, size);
    return;
  }
  ::operator delete(reinterpret_cast<std::byte*>(place), kSpanAlignment);
  --spans_;
}

void HugePagePool::Pieces::Add(uintptr_t place, size_t bytes) {
  by_place.emplace(place, bytes);
  by_size.emplace(bytes, place);
}

void HugePagePool::Pieces::Remove(uintptr_t place, size_t bytes) {
  by_place.erase(place);
  by_size.erase({bytes, place});
}

}  // namespace caracal::agents
