#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace caracal::agents {

/// Events of a mini-batch, one bit each: bit i is the i-th. A mini-batch is as long as the mask:
/// enough look-ups at once to hide memory latency, few enough that their records stay in L1/L2.
using EventMask = uint64_t;
inline constexpr size_t kMiniBatchEvents = 64;

inline constexpr EventMask EventBit(size_t event) { return EventMask{1} << event; }

/// Events [begin, end) of a mini-batch, end <= kMiniBatchEvents.
inline constexpr EventMask EventRange(size_t begin, size_t end) {
  const EventMask below_end = end == kMiniBatchEvents ? ~EventMask{0} : EventBit(end) - 1;
  const EventMask below_begin = begin == kMiniBatchEvents ? ~EventMask{0} : EventBit(begin) - 1;
  return below_end & ~below_begin;
}

/// Calls visit(event) for every event of the mask, in order.
template <typename Visit>
void ForEachEvent(EventMask mask, Visit&& visit) {
  for (; mask != 0; mask &= mask - 1) visit(static_cast<size_t>(std::countr_zero(mask)));
}

}  // namespace caracal::agents
