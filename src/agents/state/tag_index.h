#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "agents/api/check.h"
#include "agents/state/memory_block.h"

namespace caracal::agents {

/// Finds 32-bit values (where a record lies, a place in a ring) by 32-bit tags of their hash: the
/// one random access of a look-up before the value itself.
///
/// Seven tags and their values share a cache line, so a look-up touches one line, rarely two: its
/// home line, and the lines after it only while they say that entries overflowed past them. Tags
/// decide alone in nearly all cases; equal tags are told apart by the caller. Entries may be erased
/// at any time and leave nothing behind. Growth re-places the entries by their tags, without
/// looking at what the values stand for.
///
/// No memory before the first entry; 10.7 to 16 bytes per entry once there are many. Movable; a
/// moved-from index may only be destroyed or assigned to. One thread at a time.
class TagIndex {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFFU;
  /// Average number of entries per 64-byte line at which the index grows.
  static constexpr size_t kMaxEntriesPerLine = 6;

  /// `max_size` bounds the entries ever held at once, so that growth stops at what they need.
  explicit TagIndex(size_t max_size = SIZE_MAX) : max_size_(max_size) {}

  /// The tag of a well mixed hash: its upper half, never 0.
  static uint32_t TagOf(uint64_t hash) {
    const auto tag = static_cast<uint32_t>(hash >> 32);
    return tag == 0 ? 1 : tag;
  }
  /// The most bytes an index of at most `max_size` entries takes.
  static size_t MaxBytes(size_t max_size) { return LinesFor(max_size) * sizeof(Line); }

  /// Starts to load the line where `tag` is looked up first.
  void Prefetch(uint32_t tag) const {
    if (line_count_ != 0) __builtin_prefetch(&lines()[HomeLine(tag)]);
  }

  /// The first value under `tag` in its home line: a guess, good enough to prefetch what it stands
  /// for. kNone when there is none.
  uint32_t Guess(uint32_t tag) const {
    if (line_count_ == 0) return kNone;
    const Line& line = lines()[HomeLine(tag)];
    const uint32_t lanes = LanesWith(line, tag);
    return lanes == 0 ? kNone : line.values[static_cast<size_t>(std::countr_zero(lanes))];
  }

  /// The value under `tag` for which `matches(value)` is true; kNone when there is none.
  template <typename Matches>
  uint32_t Find(uint32_t tag, Matches&& matches) const {
    size_t at = HomeLine(tag);
    for (size_t visited = 0; visited < line_count_; ++visited) {
      const Line& line = lines()[at];
      for (uint32_t lanes = LanesWith(line, tag); lanes != 0; lanes &= lanes - 1) {
        const uint32_t value = line.values[static_cast<size_t>(std::countr_zero(lanes))];
        if (matches(value)) return value;
      }
      if (line.overflow == 0) break;
      at = NextLine(at);
    }
    return kNone;
  }

  /// Adds an entry; (tag, value) must not be present. `tag` from TagOf, value not kNone.
  void Insert(uint32_t tag, uint32_t value) {
    if (size_ == line_count_ * kMaxEntriesPerLine) Grow();
    Place(tag, value);
    ++size_;
  }
  /// Removes the entry (tag, value), which must be present.
  void Erase(uint32_t tag, uint32_t value);

  /// Calls visit(tag, value) for every entry, in no meaningful order. `visit` must not change the
  /// index.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (size_t at = 0; at < line_count_; ++at) {
      const Line& line = lines()[at];
      for (size_t lane = 0; lane < kLanes; ++lane) {
        if (line.tags[lane] != 0) visit(line.tags[lane], line.values[lane]);
      }
    }
  }

  size_t size() const { return size_; }
  /// Bytes allocated.
  size_t bytes() const { return block_.size(); }

 private:
  static constexpr size_t kLanes = 7;
  /// An index of that size asks for huge pages.
  static constexpr size_t kHugeIndexBytes = 4 * kHugePageBytes;
  static constexpr uint32_t kAllLanes = (1U << kLanes) - 1;

  struct alignas(64) Line {
    std::array<uint32_t, kLanes> tags;  // 0 = free lane
    /// Entries whose home is this line or an earlier one and that lie behind it.
    uint32_t overflow;
    std::array<uint32_t, kLanes> values;
    uint32_t unused;
  };
  static_assert(sizeof(Line) == 64);

  /// A bit per lane whose tag is `tag`.
  static uint32_t LanesWith(const Line& line, uint32_t tag) {
#if defined(__SSE2__)
    const auto* words = reinterpret_cast<const __m128i*>(&line);
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
    const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(words), wanted);
    const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(words + 1), wanted);
    const __m128i lanes = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
    return static_cast<uint32_t>(_mm_movemask_epi8(lanes)) & kAllLanes;
#else
    uint32_t lanes = 0;
    for (size_t i = 0; i < kLanes; ++i) lanes |= static_cast<uint32_t>(line.tags[i] == tag) << i;
    return lanes;
#endif
  }

  static size_t LinesFor(size_t entries) {
    return entries / kMaxEntriesPerLine + (entries % kMaxEntriesPerLine != 0 ? 1 : 0);
  }
  Line* lines() const { return reinterpret_cast<Line*>(block_.data()); }
  size_t HomeLine(uint32_t tag) const { return (uint64_t{tag} * line_count_) >> 32; }
  size_t NextLine(size_t at) const { return at + 1 == line_count_ ? 0 : at + 1; }
  void Place(uint32_t tag, uint32_t value);
  void Grow();

  size_t max_size_;
  size_t size_ = 0;
  size_t line_count_ = 0;
  MemoryBlock block_;
};

}  // namespace caracal::agents
