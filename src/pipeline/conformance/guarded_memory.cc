#include "pipeline/conformance/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr std::byte kUntouched{0xA5};
constexpr std::ptrdiff_t kWatched = 64;

size_t PageSize() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

GuardedMemory::GuardedMemory(size_t size, size_t align, Edge edge) : size_(size) {
  const size_t page = PageSize();
  CHECK(align > 0 && align <= page);
  pages_ = std::max<size_t>(1, (size + page - 1) / page) * page;
  void* const mapping = mmap(nullptr, pages_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                             /*fd=*/-1, /*offset=*/0);
  CHECK(mapping != MAP_FAILED);
  mapping_ = static_cast<std::byte*>(mapping);
  std::byte* const begin = mapping_ + page;
  CHECK(mprotect(begin, pages_, PROT_READ | PROT_WRITE) == 0);
  data_ = edge == Edge::kBeginning ? begin : begin + (pages_ - size) / align * align;
  std::memset(begin, static_cast<int>(kUntouched), pages_);
  std::memset(data_, 0, size_);
}

GuardedMemory::GuardedMemory(GuardedMemory&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      pages_(other.pages_),
      data_(other.data_),
      size_(other.size_) {}

GuardedMemory& GuardedMemory::operator=(GuardedMemory&& other) noexcept {
  if (this == &other) return *this;
  Release();
  mapping_ = std::exchange(other.mapping_, nullptr);
  pages_ = other.pages_;
  data_ = other.data_;
  size_ = other.size_;
  return *this;
}

GuardedMemory::~GuardedMemory() { Release(); }

void GuardedMemory::Release() {
  if (mapping_ == nullptr) return;
  CHECK(munmap(mapping_, pages_ + 2 * PageSize()) == 0);
  mapping_ = nullptr;
}

void GuardedMemory::Protect() { CHECK(mprotect(mapping_ + PageSize(), pages_, PROT_READ) == 0); }

bool GuardedMemory::IsIntact() const {
  const std::byte* const begin = mapping_ + PageSize();
  const std::byte* const end = begin + pages_;
  const std::byte* const data = data_;
  const auto untouched = [](std::byte byte) { return byte == kUntouched; };
  return std::all_of(data - std::min(kWatched, data - begin), data, untouched) &&
         std::all_of(data + size_, data + size_ + std::min(kWatched, end - (data + size_)),
                     untouched);
}

}  // namespace caracal::pipeline
