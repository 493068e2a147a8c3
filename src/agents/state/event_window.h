#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agents/api/check.h"
#include "agents/state/event_gaps.h"

namespace caracal::agents {

/// What a sliding window keeps per key. Fixed when a rule is bound.
struct EventWindowOptions {
  /// W in microseconds, at least 1.
  int64_t window_us = 1;
  /// Newest events kept per key: 1 to EventWindow::MaxCapacity of these options.
  uint32_t capacity = 1;
  /// Keep amounts: WindowTotals::sum is meaningful. Costs 8 bytes per event.
  bool sums_amounts = false;
  /// Keep value tags: WindowTotals::distinct is meaningful. Costs 8 bytes per event.
  bool counts_values = false;
};

/// One event as a window sees it.
struct WindowEvent {
  int64_t time_us = 0;
  /// What the event adds to the sum; |amount| <= kMaxAmount. Ignored unless sums_amounts.
  int64_t amount = 0;
  /// EventWindow::ValueTag of the counted attribute; 0 = none. Ignored unless counts_values.
  uint64_t value = 0;
};

/// Keeps the newest events of one key in a plain fixed-size record and answers what lies in the
/// closed window [T - W, T], T being the newest event time the key has had.
///
/// The engine's table owns the records; this class is their immutable shape, shared by every key of
/// a rule. Any thread may use it, one thread at a time on one record.
///
/// Totals are exact while the window holds at most `capacity` events, in whatever order they came;
/// beyond that the oldest drop first (among equal times the first seen). Nothing needs to remember
/// what was dropped: as long as a dropped event lies in the window, all that are kept do too, the
/// ring is full, and every further event drops one.
/// An event in time order costs amortised O(1), one out of order O(number of newer events),
/// counting values O(number of events) in addition. Expiry is lazy: nothing happens between events.
///
/// Record: header, [sum], tags[capacity], amounts[capacity], times[capacity], the last three a ring
/// in time order. Times are the low 32 bits of the microseconds when W < 2^32 us = 71 min (ages
/// within the window are then unambiguous), 64 bits otherwise. Zeroed bytes = never seen. A window
/// below 71 min that only counts, up to EventGaps::kMaxCapacity events, has EventGaps as record: 28
/// bytes for six events instead of 40.
class EventWindow {
 public:
  /// Bytes a record may have.
  static constexpr uint32_t kMaxStateSize = 64 * 1024;
  /// Bound on any capacity; wider entries have smaller ones, see MaxCapacity.
  static constexpr uint32_t kMaxCapacity = 16'000;

  /// The largest capacity whose record fits kMaxStateSize; `capacity` of the argument is ignored.
  static uint32_t MaxCapacity(EventWindowOptions options);
  /// A tag for the text of an attribute: 63 bits of its XXH3 hash, never 0; 0 for NULL (no data).
  /// Two of n values share a tag with a probability below n^2 / 2^64; the count is then one less.
  static uint64_t ValueTag(std::string_view text);

  /// CHECKs that the options are within their bounds.
  explicit EventWindow(const EventWindowOptions& options);

  /// Bytes of a key's record, and their alignment.
  uint32_t state_size() const { return state_size_; }
  uint32_t state_align() const { return has_gaps_ ? EventGaps::kAlign : kRingAlign; }
  /// StateSpec::version: 1 for rings, 2 for EventGaps.
  uint32_t state_version() const { return has_gaps_ ? 2 : 1; }

  /// Adds `event` to the record of its key and returns the totals of the window that now ends at T.
  WindowTotals Add(std::byte* record, const WindowEvent& event) const {
    WindowTotals totals;
    WithAdd([&](auto add) { totals = add(record, event); });
    return totals;
  }

  /// Calls `body` once with a function that does what Add does, compiled for this shape: a loop
  /// over a batch then decides nothing per event that is the same for all.
  template <typename Body>
  void WithAdd(Body body) const {
    if (has_gaps_) {
      body([this](std::byte* record, const WindowEvent& event) {
        return EventGaps(record, window_us_, capacity_).Add(event.time_us);
      });
      return;
    }
    narrow_ ? WithAddFor<uint32_t>(body) : WithAddFor<uint64_t>(body);
  }

 private:
  /// One record in the terms of the class comment: times stored as `Time`, amounts and tags if
  /// kept.
  template <typename Time, bool kSums, bool kValues>
  class Ring;

  template <typename Time, typename Body>
  void WithAddFor(Body& body) const;
  template <typename RingType>
  auto AddTo() const {
    return [this](std::byte* record, const WindowEvent& event) {
      return RingType(*this, record).Add(event);
    };
  }

  struct Header {
    int64_t newest_us;  // T
    uint16_t head;      // slot of the oldest event
    uint16_t size;
    uint32_t distinct;
  };
  static_assert(sizeof(Header) == 16);
  static constexpr uint32_t kRingAlign = 8;

  uint64_t window_us_;
  uint32_t capacity_;
  bool narrow_;
  bool sums_amounts_;
  bool counts_values_;
  bool has_gaps_;
  uint32_t sum_offset_ = 0;
  uint32_t tags_offset_ = 0;
  uint32_t amounts_offset_ = 0;
  uint32_t times_offset_ = 0;
  uint32_t state_size_ = 0;
};

template <typename Time, bool kSums, bool kValues>
class EventWindow::Ring {
 public:
  Ring(const EventWindow& shape, std::byte* record)
      : shape_(shape),
        header_(*reinterpret_cast<Header*>(record)),
        sum_(*reinterpret_cast<int64_t*>(record + shape.sum_offset_)),
        tags_(reinterpret_cast<uint64_t*>(record + shape.tags_offset_)),
        amounts_(reinterpret_cast<int64_t*>(record + shape.amounts_offset_)),
        times_(reinterpret_cast<Time*>(record + shape.times_offset_)) {}

  WindowTotals Add(const WindowEvent& event) {
    // The event at T is never dropped, so an empty ring is a key never seen.
    if (header_.size == 0) {
      header_.newest_us = event.time_us;
    } else if (event.time_us > header_.newest_us) {
      Advance(event.time_us);
    }
    const uint64_t age = Elapsed(event.time_us, header_.newest_us);
    WindowTotals totals;
    totals.late = age > shape_.window_us_;
    if (!totals.late) totals.saturated = !Insert(static_cast<Time>(age), event);
    totals.count = header_.size;
    totals.distinct = header_.distinct;
    if constexpr (kSums) totals.sum = sum_;
    return totals;
  }

 private:
  // The tag of the newest event with a value carries this mark, so that expiry needs no search.
  static constexpr uint64_t kNewestOfItsValue = uint64_t{1} << 63;

  // Unsigned, as the difference of two int64 may exceed an int64.
  static uint64_t Elapsed(int64_t from_us, int64_t to_us) {
    return static_cast<uint64_t>(to_us) - static_cast<uint64_t>(from_us);
  }

  uint32_t Slot(uint32_t position) const {
    const uint32_t slot = header_.head + position;
    return slot >= shape_.capacity_ ? slot - shape_.capacity_ : slot;
  }

  // Age at T of the event at `position`, 0 being the oldest.
  Time AgeAt(uint32_t position) const {
    return static_cast<Time>(static_cast<Time>(header_.newest_us) - times_[Slot(position)]);
  }

  // Moves T forward and lets everything older than the new T - W go.
  void Advance(int64_t newest_us) {
    const uint64_t step = Elapsed(header_.newest_us, newest_us);
    if (step > shape_.window_us_) {
      Clear();
    } else {
      // Ends at the latest at the event at T, whose age is 0.
      while (AgeAt(0) + step > shape_.window_us_) PopOldest();
    }
    header_.newest_us = newest_us;
  }

  void Clear() {
    header_.head = 0;
    header_.size = 0;
    header_.distinct = 0;
    if constexpr (kSums) sum_ = 0;
  }

  void PopOldest() {
    const uint32_t slot = header_.head;
    if constexpr (kSums) sum_ -= amounts_[slot];
    if constexpr (kValues) header_.distinct -= static_cast<uint32_t>(tags_[slot] >> 63);
    header_.head = static_cast<uint16_t>(slot + 1 == shape_.capacity_ ? 0 : slot + 1);
    --header_.size;
  }

  // Puts an event of `age` behind all that are not newer. Returns false when the ring was full: the
  // oldest, maybe this one, has been dropped.
  bool Insert(Time age, const WindowEvent& event) {
    uint32_t position = header_.size;
    while (position > 0 && AgeAt(position - 1) < age) --position;
    const bool full = header_.size == shape_.capacity_;
    if (full) {
      if (position == 0) return false;
      PopOldest();
      --position;
    }
    const uint64_t tag = kValues ? MarkedTag(position, event.value) : 0;
    for (uint32_t i = header_.size; i > position; --i) Move(Slot(i - 1), Slot(i));
    const uint32_t slot = Slot(position);
    times_[slot] = static_cast<Time>(static_cast<Time>(header_.newest_us) - age);
    if constexpr (kSums) {
      amounts_[slot] = event.amount;
      sum_ += event.amount;
    }
    if constexpr (kValues) tags_[slot] = tag;
    ++header_.size;
    return !full;
  }

  void Move(uint32_t from, uint32_t to) {
    times_[to] = times_[from];
    if constexpr (kSums) amounts_[to] = amounts_[from];
    if constexpr (kValues) tags_[to] = tags_[from];
  }

  // The tag to store for an event about to enter at `position`: the mark goes to the newest event
  // of the value, and a value without one is a new distinct value.
  uint64_t MarkedTag(uint32_t position, uint64_t value) {
    if (value == 0) return 0;
    const uint64_t marked = value | kNewestOfItsValue;
    for (uint32_t i = header_.size; i > 0; --i) {
      uint64_t& tag = tags_[Slot(i - 1)];
      if (tag != marked) continue;
      if (i - 1 >= position) return value;
      tag = value;
      return marked;
    }
    ++header_.distinct;
    return marked;
  }

  const EventWindow& shape_;
  Header& header_;
  // The next three are used only when the shape has them.
  int64_t& sum_;
  uint64_t* tags_;
  int64_t* amounts_;
  Time* times_;
};

template <typename Time, typename Body>
void EventWindow::WithAddFor(Body& body) const {
  if (sums_amounts_) {
    counts_values_ ? body(AddTo<Ring<Time, true, true>>()) : body(AddTo<Ring<Time, true, false>>());
  } else {
    counts_values_ ? body(AddTo<Ring<Time, false, true>>())
                   : body(AddTo<Ring<Time, false, false>>());
  }
}

}  // namespace caracal::agents
