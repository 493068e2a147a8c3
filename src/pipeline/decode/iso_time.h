#pragma once

#include <cstdint>
#include <string_view>

namespace caracal::pipeline {

enum class IsoStatus : uint8_t {
  kTime,      ///< a point in time in the years 1 to 9999
  kUnusable,  ///< infinity, or a year before 1 or after 9999: well-formed, but no payment's time
  kInvalid,   ///< not a time
};

/// Microseconds since 1970 of 0001-01-01T00:00:00Z and of the last microsecond of the year 9999.
inline constexpr int64_t kMinTimeMicros = -62'135'596'800'000'000;
inline constexpr int64_t kMaxTimeMicros = 253'402'300'799'999'999;

/// Reads ISO 8601 text as Debezium, Connect, PostgreSQL and Java write it:
///
///     [+-]YYYY-MM-DD[(T| )hh:mm[:ss[.f{1,}]]][Z|(+|-)hh[[:]mm[[:]ss]]]   and  [+-]infinity
///
/// in the proleptic Gregorian calendar. No offset means UTC; a date alone is its midnight. Digits
/// beyond the microsecond are cut off. A year has four digits or more, with a sign when it is
/// before 1 or after 9999; " BC" is understood. Hour 24 and second 60 are invalid.
/// `micros` is set for kTime only: microseconds since 1970-01-01T00:00:00Z.
[[nodiscard]] IsoStatus ParseIsoTime(std::string_view text, int64_t& micros);

}  // namespace caracal::pipeline
