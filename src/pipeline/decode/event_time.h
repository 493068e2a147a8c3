#pragma once

#include <cstdint>

#include "agents/api/transaction.h"
#include "pipeline/decode/column_schema.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/decode/json_token.h"
#include "pipeline/types/arena.h"

namespace caracal::pipeline {

/// The clocks a record brings along besides its time column. Milliseconds since 1970; -1 = unknown.
struct RecordClocks {
  int64_t source_commit_ms = -1;  ///< `source.ts_ms`, or `__source_ts_ms` of a flat row
  int64_t record_ms = -1;         ///< the Kafka timestamp
};

enum class EventTimeStatus : uint8_t {
  kOk,
  kMissing,  ///< the column has no usable time and the record has no clock to take its place
  kInvalid,  ///< the column holds something that is not a time
};

struct EventTime {
  EventTimeStatus status = EventTimeStatus::kOk;
  agents::TimeSource source = agents::TimeSource::kField;
  int64_t micros = 0;
};

/// Finds the event time of a row.
///
/// The column is read by its schema's semantic type, else by `unit`. TimeUnit::kAuto goes by the
/// number of digits of a positive integer: 4 or 5 = days, 12 or 13 = milliseconds, 15 or 16 =
/// microseconds, 18 or 19 = nanoseconds, each from 1973 (days: 1972) to beyond 2240; any other
/// integer is unusable. Text is ISO 8601 (iso_time.h), whatever the unit.
///
/// A column value is *unusable*, and the source's commit time (else the record's timestamp) takes
/// its place, when it is null, or zero where the schema's default is zero or no schema describes
/// the column, or infinite (the extreme 64-bit integers, "infinity") or otherwise outside the years
/// 1 to 9999, or more than `max_ahead_us` past that very timestamp. A stream without a time column
/// uses that timestamp always.
class EventTimeReader {
 public:
  EventTimeReader(TimeUnit unit, int64_t max_ahead_us) : unit_(unit), max_ahead_us_(max_ahead_us) {}

  /// `arena` takes unescaped text. An absent token means an unmapped column.
  [[nodiscard]] EventTime Read(const JsonToken& token, const ColumnSchema& schema,
                               const RecordClocks& clocks, Arena& arena) const;

 private:
  enum class Reading : uint8_t { kTime, kUnusable, kInvalid };

  Reading ReadColumn(const JsonToken& token, const ColumnSchema& schema, Arena& arena,
                     int64_t& micros) const;
  Reading ReadInteger(const JsonToken& token, ColumnType type, int64_t& micros) const;

  const TimeUnit unit_;
  const int64_t max_ahead_us_;
};

/// A timestamp in milliseconds; -1 when the token is no positive integer up to the year 9999.
int64_t ReadClockMillis(const JsonToken& token);

}  // namespace caracal::pipeline
