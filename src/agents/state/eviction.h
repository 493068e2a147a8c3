#pragma once

#include <cstddef>
#include <span>

#include "agents/state/key_table.h"

namespace caracal::agents {

/// Evicts the oldest sixteenth (rounded down, at least one) of all records of `tables`, which share
/// a budget, and returns how many. Oldest = smallest (newest event time, key bytes, table), so the
/// choice is a function of what the tables hold alone. Needs 24 bytes per record for the moment.
/// The tables must not all be empty (CHECK).
size_t EvictOldestSixteenth(std::span<KeyTable> tables);

}  // namespace caracal::agents
