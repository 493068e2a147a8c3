#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "agents/state/key_table.h"

namespace caracal::agents {

/// Where a key stands in the order of eviction: the smallest goes first.
struct EvictionRank {
  int64_t newest_us = 0;
  std::pair<uint64_t, uint64_t> key;  ///< as KeyTable::key_order
  uint32_t table = 0;                 ///< index among the tables that share the budget

  friend auto operator<=>(const EvictionRank&, const EvictionRank&) = default;
};

/// How many of `records` records one eviction takes.
inline size_t EvictionStep(size_t records) { return std::max<size_t>(1, records / 16); }

/// Evicts the oldest sixteenth (rounded down, at least one) of all records of `tables`, which share
/// a budget, and returns how many. Oldest = smallest (newest event time, key bytes, table), so the
/// choice is a function of what the tables hold alone. Needs 24 bytes per record for the moment.
/// The tables must not all be empty (CHECK).
size_t EvictOldestSixteenth(std::span<KeyTable> tables);

}  // namespace caracal::agents
