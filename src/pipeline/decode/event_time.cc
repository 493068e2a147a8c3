#include "pipeline/decode/event_time.h"

#include "pipeline/decode/iso_time.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kMicrosPerMilli = 1000;
constexpr int64_t kNanosPerMicro = 1000;
constexpr int64_t kMicrosPerDay = 86'400'000'000;

/// The unit a schema declares; kUndescribed and kOther leave it to the configuration.
TimeUnit UnitOf(ColumnType type, TimeUnit configured) {
  switch (type) {
    case ColumnType::kDays:
      return TimeUnit::kDays;
    case ColumnType::kMilliseconds:
      return TimeUnit::kMilliseconds;
    case ColumnType::kMicroseconds:
      return TimeUnit::kMicroseconds;
    case ColumnType::kNanoseconds:
      return TimeUnit::kNanoseconds;
    case ColumnType::kIsoTime:
      return TimeUnit::kIso;
    default:
      return configured;
  }
}

/// The unit whose recent times have as many digits as `text`; kAuto when there is none.
TimeUnit UnitByDigits(std::string_view text) {
  if (text.front() == '-') return TimeUnit::kAuto;
  switch (text.size()) {
    case 4:
    case 5:
      return TimeUnit::kDays;
    case 12:
    case 13:
      return TimeUnit::kMilliseconds;
    case 15:
    case 16:
      return TimeUnit::kMicroseconds;
    case 18:
    case 19:
      return TimeUnit::kNanoseconds;
    default:
      return TimeUnit::kAuto;
  }
}

/// Division that rounds to the past, also before 1970.
int64_t FloorDivide(int64_t value, int64_t by) {
  const int64_t quotient = value / by;
  return value % by < 0 ? quotient - 1 : quotient;
}

/// Microseconds of `value` units; false when that is outside the years 1 to 9999.
bool ToMicros(int64_t value, TimeUnit unit, int64_t& micros) {
  int64_t factor = 1;
  if (unit == TimeUnit::kDays) factor = kMicrosPerDay;
  if (unit == TimeUnit::kMilliseconds) factor = kMicrosPerMilli;
  if (unit == TimeUnit::kNanoseconds) value = FloorDivide(value, kNanosPerMicro);
  if (__builtin_mul_overflow(value, factor, &micros)) return false;
  return micros >= kMinTimeMicros && micros <= kMaxTimeMicros;
}

bool IsClock(int64_t millis) { return millis > 0 && millis <= kMaxTimeMicros / kMicrosPerMilli; }

}  // namespace

int64_t ReadClockMillis(const JsonToken& token) {
  int64_t millis = -1;
  if (!ReadInt64(token, millis)) return -1;
  return IsClock(millis) ? millis : -1;
}

EventTimeReader::Reading EventTimeReader::ReadInteger(const JsonToken& token, ColumnType type,
                                                      int64_t& micros) const {
  int64_t value = 0;
  if (!ReadInt64(token, value)) return Reading::kInvalid;
  // Debezium's infinities, whatever the unit.
  if (value == INT64_MAX || value == INT64_MIN) return Reading::kUnusable;
  TimeUnit unit = UnitOf(type, unit_);
  if (unit == TimeUnit::kIso) return Reading::kInvalid;
  if (unit == TimeUnit::kAuto) unit = UnitByDigits(token.text);
  if (unit == TimeUnit::kAuto) return Reading::kUnusable;
  return ToMicros(value, unit, micros) ? Reading::kTime : Reading::kUnusable;
}

EventTimeReader::Reading EventTimeReader::ReadColumn(const JsonToken& token,
                                                     const ColumnSchema& schema, Arena& arena,
                                                     int64_t& micros) const {
  if (schema.type == ColumnType::kTimeOfDay) return Reading::kInvalid;
  if (token.kind == JsonKind::kNumber) return ReadInteger(token, schema.type, micros);
  std::string_view text;
  const TextStatus status = ReadText(token, arena, text);
  if (status == TextStatus::kNull) return Reading::kUnusable;
  if (status != TextStatus::kText || token.kind != JsonKind::kString) return Reading::kInvalid;
  switch (ParseIsoTime(text, micros)) {
    case IsoStatus::kTime:
      return Reading::kTime;
    case IsoStatus::kUnusable:
      return Reading::kUnusable;
    case IsoStatus::kInvalid:
      return Reading::kInvalid;
  }
  return Reading::kInvalid;
}

EventTime EventTimeReader::Read(const JsonToken& token, const ColumnSchema& schema,
                                const RecordClocks& clocks, Arena& arena) const {
  EventTime time;
  const Reading reading = ReadColumn(token, schema, arena, time.micros);
  if (reading == Reading::kInvalid) {
    time.status = EventTimeStatus::kInvalid;
    return time;
  }
  const bool commit_known = IsClock(clocks.source_commit_ms);
  const int64_t clock_ms = commit_known ? clocks.source_commit_ms : clocks.record_ms;
  const bool clock_known = IsClock(clock_ms);
  const int64_t clock_us = clock_known ? clock_ms * kMicrosPerMilli : 0;
  const bool zero_is_null = schema.type == ColumnType::kUndescribed || schema.zero_default;
  const bool usable = reading == Reading::kTime && !(time.micros == 0 && zero_is_null) &&
                      !(clock_known && time.micros > clock_us + max_ahead_us_);
  if (usable) return time;
  if (!clock_known) {
    time.status = EventTimeStatus::kMissing;
    return time;
  }
  time.micros = clock_us;
  time.source = commit_known ? agents::TimeSource::kSourceCommit : agents::TimeSource::kRecord;
  return time;
}

}  // namespace caracal::pipeline
