#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace caracal::agents {

/// What lies in the window [T - W, T] after an event.
struct WindowTotals {
  int64_t sum = 0;
  uint32_t count = 0;
  uint32_t distinct = 0;
  /// The event is older than T - W: it changed nothing.
  bool late = false;
  /// The window holds more events than `capacity`: the totals are those of the newest ones. Never
  /// set for a late event.
  bool saturated = false;
};

/// Counts the events of one key within a window, as a short list of gaps: the small shape of
/// EventWindow, with its answers, for rules that count and keep few events.
///
/// Record: newest event time T (8 bytes, its sign bit flipped), then `capacity` - 1 gaps of 4 bytes
/// between an event and the next older one, newest first. A gap is stored plus 1; from the first 0
/// on there are no more events. Zeroed bytes = never seen. Only events within [T - W, T] are kept,
/// so the bytes depend on T and on the kept times alone, not on the order they came in.
///
/// An event costs at most `capacity` steps, one in order as many as there are events in the window.
/// The earliest of all times counts as a microsecond later. Any thread, one at a time on one
/// record.
class EventGaps {
 public:
  static constexpr uint32_t kAlign = 4;
  static constexpr uint32_t kMaxCapacity = 16;
  /// A gap within the window, plus 1, fits 32 bits.
  static constexpr int64_t kMaxWindowUs = (int64_t{1} << 32) - 2;

  static constexpr uint32_t Size(uint32_t capacity) {
    return sizeof(uint64_t) + (capacity - 1) * static_cast<uint32_t>(sizeof(uint32_t));
  }

  /// `record` of Size(capacity) bytes, aligned to kAlign; `window_us` at most kMaxWindowUs.
  EventGaps(std::byte* record, uint64_t window_us, uint32_t capacity)
      : newest_(record),
        gaps_(reinterpret_cast<uint32_t*>(record + sizeof(uint64_t))),
        window_us_(window_us),
        capacity_(capacity) {}

  WindowTotals Add(int64_t time_us) {
    // Ordered as the signed times are; 0 is left for keys never seen.
    const uint64_t time = std::max<uint64_t>(1, static_cast<uint64_t>(time_us) ^ kSign);
    uint64_t newest;
    std::memcpy(&newest, newest_, sizeof(newest));
    if (newest != 0 && time < newest) return AddOlder(newest - time);
    std::memcpy(newest_, &time, sizeof(time));
    return newest == 0 ? Totals(1, false) : AddNewest(time - newest);
  }

 private:
  static constexpr uint64_t kSign = uint64_t{1} << 63;

  static WindowTotals Totals(uint32_t count, bool saturated) {
    WindowTotals totals;
    totals.count = count;
    totals.saturated = saturated;
    return totals;
  }

  uint32_t last() const { return capacity_ - 1; }

  // The event at T came `elapsed` after the newest one so far.
  WindowTotals AddNewest(uint64_t elapsed) {
    uint32_t kept = 0;
    uint64_t age = elapsed;
    uint32_t entering = age <= window_us_ ? static_cast<uint32_t>(age) + 1 : 0;
    while (entering != 0 && kept < last()) {
      const uint32_t next = std::exchange(gaps_[kept++], entering);
      if (next == 0) return Totals(kept + 1, false);
      age += next - 1;
      entering = age <= window_us_ ? next : 0;
    }
    for (uint32_t i = kept; i < last() && gaps_[i] != 0; ++i) gaps_[i] = 0;
    return Totals(kept + 1, entering != 0);
  }

  // The event is `age` older than T. Of equal times it is the newest.
  WindowTotals AddOlder(uint64_t age) {
    uint32_t position = 0;
    uint64_t newer_age = 0;
    while (position < last() && gaps_[position] != 0 && newer_age + gaps_[position] - 1 < age) {
      newer_age += uint64_t{gaps_[position++]} - 1;
    }
    const bool late = age > window_us_;
    uint32_t entering = late ? 0 : static_cast<uint32_t>(age - newer_age) + 1;
    for (uint32_t i = position; i < last() && entering != 0; ++i) {
      const uint32_t next = std::exchange(gaps_[i], entering);
      // The older event behind the new one is that much closer to it.
      entering = i == position && next != 0 ? next - (entering - 1) : next;
    }
    uint32_t count = 1;
    while (count <= last() && gaps_[count - 1] != 0) ++count;
    WindowTotals totals = Totals(count, entering != 0);
    totals.late = late;
    return totals;
  }

  std::byte* newest_;
  uint32_t* gaps_;
  uint64_t window_us_;
  uint32_t capacity_;
};

}  // namespace caracal::agents
