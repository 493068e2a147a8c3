#pragma once

#include <cstdint>

namespace caracal::pipeline {

/// What `operator new` has handed out since the process started, all threads together. Linking
/// allocation_counter.cc replaces the global operators.
struct AllocationCount {
  uint64_t calls = 0;
  uint64_t bytes = 0;
};

AllocationCount Allocations();

}  // namespace caracal::pipeline
