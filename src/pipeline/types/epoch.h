#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/types/partition_lease.h"
#include "pipeline/types/record_outcome.h"

namespace caracal::pipeline {

enum class OutputKind : uint8_t { kAlert, kDeadLetter };

/// One message an epoch emits: an alert or a dead letter, already encoded.
struct OutputRecord {
  OutputKind kind = OutputKind::kAlert;
  LeasePtr lease;
  /// The source record it comes from; the order within a partition is (offset, sequence).
  int64_t offset = 0;
  uint32_t sequence = 0;
  std::string key;
  bool null_key = false;
  std::string value;
  bool null_value = false;
  /// When the database committed the source row, ms since 1970; -1 = unknown. For metrics only.
  int64_t commit_time_ms = -1;
  std::vector<std::pair<std::string, std::string>> headers;

  size_t bytes() const { return key.size() + value.size() + 64 * headers.size() + 128; }
};

/// How far an epoch has gone in one partition.
struct EpochPartition {
  LeasePtr lease;
  /// What was committed when the epoch was closed.
  int64_t begin_offset = 0;
  /// The next offset to consume: every record below it is accounted for by this epoch or an
  /// earlier.
  int64_t end_offset = 0;
  /// Committed offset metadata, ASCII (see commit/offset_metadata.h).
  std::string metadata;
};

/// The records between two barriers, complete and filtered by ownership: the unit of commit. Made
/// on the ingest thread, handed whole to the commit thread. Immutable from then on.
struct SealedEpoch {
  uint64_t id = 0;
  std::vector<EpochPartition> partitions;
  /// Sorted by (lease id, offset, sequence).
  std::vector<OutputRecord> outputs;
  /// Serialised consumer group metadata read at sealing; empty in at_least_once.
  std::string group_metadata;
  /// Monotonic microseconds at which the oldest record of the epoch was polled.
  int64_t oldest_poll_us = 0;
};

}  // namespace caracal::pipeline
