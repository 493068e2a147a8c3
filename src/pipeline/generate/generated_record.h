#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/generate/malformed.h"
#include "pipeline/generate/payment.h"

namespace caracal::pipeline {

/// What a generated record is.
enum class RecordKind : uint8_t {
  kPayment,     ///< op c: a new row
  kSnapshot,    ///< op r: a row of the initial snapshot, not seen before
  kUpdate,      ///< op u
  kDelete,      ///< op d
  kTombstone,   ///< the null value behind a delete
  kDuplicate,   ///< a row that was sent before, with the same op and source position
  kResnapshot,  ///< op r of a row that was sent before
  kMalformed,   ///< yields no transaction
};

/// One record of the load.
///
/// IMPORTANT: Buffer Lifetime. Views and pointers belong to the EventGenerator that filled the
/// record and live until its next Next().
struct GeneratedRecord {
  RecordKind kind = RecordKind::kPayment;
  MalformedKind malformed = MalformedKind::kNone;
  std::string_view key;
  /// data() == nullptr: a tombstone.
  std::string_view value;
  /// The partition the record belongs to; -1 when the options name no partitions.
  int32_t partition = -1;
  /// When the connector sent it: milliseconds of event time since 1970.
  int64_t timestamp_ms = 0;
  /// The record's index in the stream, from 0; and within its partition: the offset it gets in a
  /// topic that was empty.
  uint64_t position = 0;
  uint64_t offset = 0;
  /// The row after the change: null for a delete and a tombstone. Its mark says what is planted; a
  /// duplicate or a resnapshot carries the mark of its row.
  const Payment* row = nullptr;
  /// The row before the change: of an update, a delete and a tombstone.
  const Payment* before = nullptr;
};

}  // namespace caracal::pipeline
