#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/state/memory_block.h"
#include "agents/state/prefetch.h"
#include "agents/state/row_line.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

/// Recognises rows of the source table that were seen before, so that a re-delivered row changes
/// nothing. It remembers the 64-bit tags of the newest `max_rows` distinct rows in log order: first
/// in, first out; a duplicate does not refresh its row.
///
/// Exact while fewer than max_rows newer rows lie between a row and its re-delivery. A row is taken
/// for a duplicate wrongly only when its tag equals one remembered: for uniform tags at most
/// max_rows / 2^64 per row (16,384 rows: 9 × 10^-16, one in 10^15 rows).
///
/// A ring holds the tags in log order; lines of ten entries find them by a part of the tag and the
/// row's sequence number. Entries of forgotten rows are recognised by their number and written
/// over, so a row costs one random access to memory, and the next place of the ring; both can be
/// prefetched.
///
/// Memory grows with content, up to MaxBytes(max_rows): 20.8 bytes per row (16,384 rows: 333 KiB).
/// Movable; a moved-from filter may only be destroyed or assigned to. One thread at a time.
class RowFilter {
 public:
  static constexpr uint32_t kMaxRows = uint32_t{1} << 30;

  /// At most kMaxRows (CHECK); 0 = remembers nothing: every row is new. `pool` null = memory from
  /// the heap; else it must outlive the filter.
  explicit RowFilter(uint32_t max_rows, HugePagePool* pool = nullptr);

  /// Starts to load what InsertIfNew(tag) will look at.
  void Prefetch(uint64_t tag) const {
    if (line_count_ == 0) return;
    PrefetchLine(&lines()[HomeOf(HashOf(tag))]);
    PrefetchLine(tags_.data() + next_place_);
  }

  /// True = the row is new and is remembered now, the oldest row is forgotten if need be; false = a
  /// duplicate, nothing changes.
  bool InsertIfNew(uint64_t tag);

  /// Calls visit(tag) for every remembered row, oldest first.
  template <typename Visit>
  void ForEachInLogOrder(Visit&& visit) const {
    const size_t oldest = tags_.size() < max_rows_ ? 0 : next_place_;
    for (size_t i = oldest; i < tags_.size(); ++i) visit(tags_[i]);
    for (size_t i = 0; i < oldest; ++i) visit(tags_[i]);
  }
  /// Appends the remembered tags, oldest first, 8 bytes each, little-endian.
  void AppendTo(std::string& out) const { AppendNewest(size(), out); }
  /// The same for the newest `rows` of them, at most size().
  void AppendNewest(size_t rows, std::string& out) const;
  /// From here on changed_rows() counts.
  void BeginChanges() { changed_rows_ = 0; }
  /// How many of the remembered rows came since BeginChanges: the newest.
  uint32_t changed_rows() const { return changed_rows_; }
  /// Fills an empty filter (CHECK) with what AppendTo has written: with the newest max_rows() of
  /// it. False = a tag occurs twice, which no filter remembers; the filter is then of no use.
  /// `image` must be a whole number of tags (CHECK).
  [[nodiscard]] bool Restore(std::string_view image);
  /// Adds the remembered rows, and nothing else, to a digest.
  void AddTo(StateDigester& digester) const;

  size_t size() const { return tags_.size(); }
  uint32_t max_rows() const { return max_rows_; }
  /// Bytes allocated.
  size_t bytes() const { return tags_.capacity() * sizeof(uint64_t) + block_.size(); }
  static size_t MaxBytes(uint32_t max_rows) {
    return max_rows * sizeof(uint64_t) + LinesFor(max_rows) * sizeof(RowLine);
  }

 private:
  /// Average number of remembered rows per line.
  static constexpr size_t kRowsPerLine = 5;

  static size_t LinesFor(size_t rows) { return (rows + kRowsPerLine - 1) / kRowsPerLine; }
  /// Spreads tags that are not uniform (2^64 / golden ratio, odd).
  static uint64_t HashOf(uint64_t tag) { return tag * 0x9E3779B97F4A7C15U; }
  /// Bits of the hash that do not choose the line; never 0.
  static uint16_t LaneTag(uint64_t hash) {
    const auto bits = static_cast<uint16_t>(hash >> 16);
    return bits == 0 ? 1 : bits;
  }

  RowLine* lines() const { return reinterpret_cast<RowLine*>(block_.data()); }
  size_t HomeOf(uint64_t hash) const { return ((hash >> 32) * line_count_) >> 32; }
  size_t NextLine(size_t at) const { return at + 1 == line_count_ ? 0 : at + 1; }
  /// How many rows ago the row with that number came, the newest = 1. Only those up to size() are
  /// remembered. Numbers wrap around; one that looks remembered after 2^32 rows is harmless, as
  /// tags are compared in the ring.
  uint32_t AgeOf(uint32_t sequence) const { return next_sequence_ - sequence; }
  bool IsRemembered(uint32_t sequence) const { return AgeOf(sequence) - 1 < tags_.size(); }
  uint64_t TagAt(uint32_t age) const {
    return tags_[age <= next_place_ ? next_place_ - age : next_place_ + tags_.size() - age];
  }

  bool Contains(uint64_t tag) const;
  /// Makes `sequence`, the number of the row to come or of one in the ring, findable.
  void Place(uint64_t hash, uint32_t sequence);
  /// Makes room for `rows` rows, which must not be fewer than there are.
  void Reserve(size_t rows);

  uint32_t max_rows_;
  HugePagePool* pool_;
  /// Number and place in the ring of the row to come. Numbers start at 1: 0 never looks remembered
  /// in a new line.
  uint32_t next_sequence_ = 1;
  size_t next_place_ = 0;
  uint32_t changed_rows_ = 0;
  std::vector<uint64_t> tags_;  // a ring once it holds max_rows_
  size_t line_count_ = 0;
  MemoryBlock block_;
};

}  // namespace caracal::agents
