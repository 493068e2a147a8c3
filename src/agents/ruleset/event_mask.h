#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace caracal::agents {

/// Events of a mini-batch, one bit each: bit i is the i-th.
using EventMask = uint64_t;
inline constexpr size_t kEventMaskBits = 64;
/// Enough look-ups at once to hide memory latency, few enough that what is loaded ahead for two
/// mini-batches is still in L1 when it is used.
inline constexpr size_t kMiniBatchEvents = 32;
static_assert(kMiniBatchEvents <= kEventMaskBits);

inline constexpr EventMask EventBit(size_t event) { return EventMask{1} << event; }

/// Events [begin, end) of a mini-batch, end <= kMiniBatchEvents.
inline constexpr EventMask EventRange(size_t begin, size_t end) {
  const EventMask below_end = end == kEventMaskBits ? ~EventMask{0} : EventBit(end) - 1;
  const EventMask below_begin = begin == kEventMaskBits ? ~EventMask{0} : EventBit(begin) - 1;
  return below_end & ~below_begin;
}

/// Calls visit(event) for every event of the mask, in order.
template <typename Visit>
void ForEachEvent(EventMask mask, Visit&& visit) {
  for (; mask != 0; mask &= mask - 1) visit(static_cast<size_t>(std::countr_zero(mask)));
}

}  // namespace caracal::agents
