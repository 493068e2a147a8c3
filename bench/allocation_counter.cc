#include "bench/allocation_counter.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace caracal::pipeline {
namespace {

std::atomic<uint64_t> g_calls{0};
std::atomic<uint64_t> g_bytes{0};

void* Counted(void* memory, size_t bytes) {
  if (memory == nullptr) throw std::bad_alloc();
  g_calls.fetch_add(1, std::memory_order_relaxed);
  g_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return memory;
}

void* CountedAllocate(size_t bytes) { return Counted(std::malloc(bytes == 0 ? 1 : bytes), bytes); }

void* CountedAllocate(size_t bytes, std::align_val_t align) {
  const auto alignment = static_cast<size_t>(align);
  const size_t whole = (bytes + alignment - 1) / alignment * alignment;
  return Counted(std::aligned_alloc(alignment, whole == 0 ? alignment : whole), bytes);
}

}  // namespace

AllocationCount Allocations() {
  return {g_calls.load(std::memory_order_relaxed), g_bytes.load(std::memory_order_relaxed)};
}

}  // namespace caracal::pipeline

void* operator new(size_t bytes) { return caracal::pipeline::CountedAllocate(bytes); }
void* operator new[](size_t bytes) { return caracal::pipeline::CountedAllocate(bytes); }
void* operator new(size_t bytes, std::align_val_t align) {
  return caracal::pipeline::CountedAllocate(bytes, align);
}
void* operator new[](size_t bytes, std::align_val_t align) {
  return caracal::pipeline::CountedAllocate(bytes, align);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
