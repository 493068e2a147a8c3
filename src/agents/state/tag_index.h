#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "agents/api/check.h"
#include "agents/state/memory_block.h"
#include "agents/state/prefetch.h"
#include "agents/state/tag_lanes.h"

namespace caracal::agents {

/// Finds 32-bit values (where a record lies) by 32-bit tags of their hash: the one random access of
/// a look-up before the value itself.
///
/// Seven tags and their values share a cache line (TagLine), so a look-up touches one line, rarely
/// two: its home line, and the next ones only while lines count entries that went past them. Tags
/// decide alone in nearly all cases; equal tags are told apart by the caller. Entries may be erased
/// at any time and leave nothing behind. Growth re-places the entries by their tags, without
/// looking at what the values stand for.
///
/// No memory before the first entry; 12.8 to 14.4 bytes per entry once there are many. Movable; a
/// moved-from index may only be destroyed or assigned to. One thread at a time.
class TagIndex {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFFU;
  /// Average number of entries per 64-byte line at which the index grows. At five, 6 % of the
  /// entries lie outside their home line, at six 12 %; each costs two cache misses in a row.
  static constexpr size_t kMaxEntriesPerLine = 5;

  /// `pool` null = memory from the heap; else it must outlive the index.
  explicit TagIndex(HugePagePool* pool = nullptr) : pool_(pool) {}

  /// Starts to load the line where `tag` is looked up first.
  void Prefetch(uint32_t tag) const {
    if (line_count_ != 0) PrefetchLine(&lines()[HomeLine(tag)]);
  }

  /// The first value under `tag`: a guess, good enough to prefetch what it stands for. kNone when
  /// there is none.
  uint32_t Guess(uint32_t tag) const {
    return line_count_ == 0 ? kNone : Find(tag, [](uint32_t) { return true; });
  }

  /// The value under `tag` for which `matches(value)` is true; kNone when there is none.
  template <typename Matches>
  uint32_t Find(uint32_t tag, Matches&& matches) const {
    size_t at = HomeLine(tag);
    for (size_t visited = 0; visited < line_count_; ++visited) {
      const TagLine& line = lines()[at];
      for (uint32_t lanes = line.LanesWith(tag); lanes != 0; lanes &= lanes - 1) {
        const uint32_t value = line.values[static_cast<size_t>(std::countr_zero(lanes))];
        if (matches(value)) return value;
      }
      if (line.passed == 0) break;
      at = NextLine(at);
    }
    return kNone;
  }

  /// Makes an empty index (CHECK) as large as one that has grown to `entries` entries.
  void Reserve(size_t entries);
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
      const TagLine& line = lines()[at];
      for (size_t lane = 0; lane < TagLine::kLanes; ++lane) {
        if (line.tags[lane] != 0) visit(line.tags[lane], line.values[lane]);
      }
    }
  }

  size_t size() const { return size_; }
  /// Bytes allocated.
  size_t bytes() const { return block_.size(); }

 private:
  TagLine* lines() const { return reinterpret_cast<TagLine*>(block_.data()); }
  size_t HomeLine(uint32_t tag) const { return HomeLineOf(tag, line_count_); }
  size_t NextLine(size_t at) const { return at + 1 == line_count_ ? 0 : at + 1; }
  // By an eighth: an entry is moved eight times while an index grows, from line to line in order.
  static size_t NextLineCount(size_t lines) { return lines + lines / 8 + 1; }
  void Place(uint32_t tag, uint32_t value);
  void Grow();
  void Allocate(size_t lines);

  HugePagePool* pool_;
  size_t size_ = 0;
  size_t line_count_ = 0;
  MemoryBlock block_;
};

}  // namespace caracal::agents
