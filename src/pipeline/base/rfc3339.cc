#include "pipeline/base/rfc3339.h"

#include <algorithm>
#include <cstddef>

#include "pipeline/base/digits.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
/// 0001-01-01T00:00:00.000000Z and 9999-12-31T23:59:59.999999Z.
constexpr int64_t kFirstMicros = -62'135'596'800'000'000;
constexpr int64_t kLastMicros = 253'402'300'799'999'999;

struct CivilDate {
  int64_t year;
  int64_t month;
  int64_t day;
};

/// The proleptic Gregorian date of a day counted from 1970-01-01. The year is shifted to begin in
/// March, so that the leap day is its last day and months follow the linear formula (153 m + 2) / 5
/// (E. G. Richards, Explanatory Supplement to the Astronomical Almanac, 2013, §15.11).
CivilDate DateOfDay(int64_t unix_day) {
  const int64_t days = unix_day + 719'468;  // since 0000-03-01
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

void AppendDate(const CivilDate& date, std::string& out) {
  AppendPadded(static_cast<uint64_t>(date.year), 4, out);
  out += '-';
  AppendPadded(static_cast<uint64_t>(date.month), 2, out);
  out += '-';
  AppendPadded(static_cast<uint64_t>(date.day), 2, out);
}

}  // namespace

void AppendRfc3339(int64_t unix_micros, FractionDigits digits, std::string& out) {
  const int64_t micros = std::clamp(unix_micros, kFirstMicros, kLastMicros);
  const int64_t day = (micros >= 0 ? micros : micros - (kMicrosPerDay - 1)) / kMicrosPerDay;
  const int64_t of_day = micros - day * kMicrosPerDay;
  const int64_t seconds = of_day / 1'000'000;
  const int64_t fraction = of_day % 1'000'000;
  AppendDate(DateOfDay(day), out);
  out += 'T';
  AppendPadded(static_cast<uint64_t>(seconds / 3600), 2, out);
  out += ':';
  AppendPadded(static_cast<uint64_t>(seconds / 60 % 60), 2, out);
  out += ':';
  AppendPadded(static_cast<uint64_t>(seconds % 60), 2, out);
  out += '.';
  const int64_t shown = digits == FractionDigits::kMillis ? fraction / 1000 : fraction;
  AppendPadded(static_cast<uint64_t>(shown), static_cast<size_t>(digits), out);
  out += 'Z';
}

}  // namespace caracal::pipeline
