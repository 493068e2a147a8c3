#pragma once

namespace caracal::agents {

/// Starts to load the cache line at `address`, which need not be valid, to be read and changed.
inline void PrefetchLine(const void* address) {
  __builtin_prefetch(address, 1);
  // To gcc a prefetch is no effect: it takes a function that only prefetches for a pure one and
  // leaves out its calls. This is an effect, and no instruction.
  asm volatile("" : : "r"(address));
}

}  // namespace caracal::agents
