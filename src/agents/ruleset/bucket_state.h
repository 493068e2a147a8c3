#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agents/ruleset/compiled_rulesets.h"
#include "agents/state/key_table.h"
#include "agents/state/row_filter.h"

namespace caracal::agents {

/// Bounds of one bucket.
struct BucketLimits {
  /// Bytes its keys may count for (KeyTable::BytesPerKey); beyond it the oldest sixteenth is
  /// evicted.
  size_t max_bytes = size_t{8} << 20;
  /// Newest rows remembered to recognise re-deliveries.
  uint32_t rows_per_bucket = 16'384;
};

/// The state of one bucket of one partition: the rows it has seen and one table of records per rule
/// key. A function of the records of the bucket in offset order, the rulesets and the limits alone.
///
/// One thread at a time.
class BucketState {
 public:
  BucketState(const CompiledRulesets& rulesets, const BucketLimits& limits);

  RowFilter& rows() { return rows_; }
  KeyTable& table(size_t group) { return tables_[group]; }
  const KeyTable& table(size_t group) const { return tables_[group]; }

  /// What a key of `group` counts for against the limit.
  size_t bytes_per_key(size_t group) const { return bytes_per_key_[group]; }
  /// True when keys of `bytes` more do not fit: MakeRoom must come first.
  bool Full(size_t bytes) const { return used_bytes_ + bytes > max_bytes_; }
  /// Evicts the oldest sixteenth of the bucket's records until `bytes` fit or nothing is left: the
  /// key at hand is always judged.
  void MakeRoom(size_t bytes);
  /// A key was added to `group`.
  void NoteInsertion(size_t group) { used_bytes_ += bytes_per_key_[group]; }

  uint64_t keys() const;
  uint64_t evictions() const;
  /// Bytes allocated.
  size_t bytes() const;
  /// Digest of the content: equal for equal histories, whatever the batches were.
  uint64_t Digest() const;

 private:
  const size_t max_bytes_;
  RowFilter rows_;
  std::vector<KeyTable> tables_;
  std::vector<size_t> bytes_per_key_;
  size_t used_bytes_ = 0;
};

}  // namespace caracal::agents
