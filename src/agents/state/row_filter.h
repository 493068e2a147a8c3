#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agents/state/state_digest.h"
#include "agents/state/tag_index.h"

namespace caracal::agents {

/// Recognises rows of the source table that were seen before, so that a re-delivered row changes
/// nothing. It remembers the 64-bit tags of the newest `max_rows` distinct rows in log order: first
/// in, first out; a duplicate does not refresh its row.
///
/// Exact while fewer than max_rows newer rows lie between a row and its re-delivery. A row is taken
/// for a duplicate wrongly only when its tag equals one remembered: for uniform tags at most
/// max_rows / 2^64 per row (16,384 rows: 9 × 10^-16, one in 10^15 rows).
///
/// Memory grows with content, up to MaxBytes(max_rows): 8 bytes per tag and at most 10.7 for
/// finding it (16,384 rows: 128 + 171 KiB). Movable; a moved-from filter may only be destroyed or
/// assigned to. One thread at a time.
class RowFilter {
 public:
  /// 0 = remembers nothing: every row is new.
  explicit RowFilter(uint32_t max_rows);

  /// Starts to load what InsertIfNew(tag) will look at.
  void Prefetch(uint64_t tag) const {
    index_.Prefetch(IndexTag(tag));
    if (tags_.size() == max_rows_ && max_rows_ != 0) index_.Prefetch(IndexTag(tags_[oldest_]));
  }

  /// True = the row is new and is remembered now, the oldest row is forgotten if need be; false = a
  /// duplicate, nothing changes.
  bool InsertIfNew(uint64_t tag);

  /// Calls visit(tag) for every remembered row, oldest first.
  template <typename Visit>
  void ForEachInLogOrder(Visit&& visit) const {
    for (size_t i = oldest_; i < tags_.size(); ++i) visit(tags_[i]);
    for (size_t i = 0; i < oldest_; ++i) visit(tags_[i]);
  }

  /// Adds the remembered rows, and nothing else, to a digest.
  void AddTo(StateDigester& digester) const;

  size_t size() const { return tags_.size(); }
  uint32_t max_rows() const { return max_rows_; }
  /// Bytes allocated.
  size_t bytes() const { return tags_.capacity() * sizeof(uint64_t) + index_.bytes(); }
  static size_t MaxBytes(uint32_t max_rows) {
    return max_rows * sizeof(uint64_t) + TagIndex::MaxBytes(max_rows);
  }

 private:
  /// Spreads tags that are not uniform (2^64 / golden ratio, odd).
  static uint32_t IndexTag(uint64_t tag) { return TagIndex::TagOf(tag * 0x9E3779B97F4A7C15U); }

  uint32_t max_rows_;
  /// A ring once it holds max_rows tags; until then the oldest is at 0.
  std::vector<uint64_t> tags_;
  size_t oldest_ = 0;
  TagIndex index_;
};

}  // namespace caracal::agents
