#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// The raw Kafka message. It owns nothing: its bytes belong to the RecordBatch it is in.
struct RawRecord {
  /// Kept alive by the batch.
  PartitionLease* lease = nullptr;
  int64_t offset = 0;
  /// Milliseconds since 1970; -1 = the record has none.
  int64_t timestamp_ms = -1;
  /// data() == nullptr: Kafka null.
  std::string_view key;
  /// data() == nullptr: Kafka null (a tombstone).
  std::string_view value;
  /// Readable bytes behind the end of value (of any content); a reader that needs padding checks
  /// this.
  uint32_t value_slack = 0;
};

/// Some consecutive polls' worth of records, and the owner of their bytes. The source makes it; it
/// is destroyed by the thread that drops the last reference, which need not be the source's.
class RecordBatch {
 public:
  RecordBatch() = default;
  RecordBatch(const RecordBatch&) = delete;
  RecordBatch& operator=(const RecordBatch&) = delete;
  virtual ~RecordBatch() = default;

  /// In arrival order; offsets of one partition strictly increase, gaps are normal.
  const std::vector<RawRecord>& records() const { return records_; }
  /// The poll took as much as it may: there is probably more. Not said of a backlog while other
  /// partitions are up to date.
  bool full() const { return full_; }
  /// Value of the last header of that name of records()[index]; nullopt = no such header. Lives as
  /// long as the batch. One thread at a time.
  virtual std::optional<std::string_view> FindHeader(size_t index, std::string_view name) const = 0;

 protected:
  std::vector<RawRecord> records_;
  bool full_ = false;
};

}  // namespace caracal::pipeline
