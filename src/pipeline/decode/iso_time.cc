#include "pipeline/decode/iso_time.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int kMaxYearDigits = 9;

/// Takes characters from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool TakeAnyOf(std::string_view set, char& taken) {
    if (text_.empty() || set.find(text_.front()) == std::string_view::npos) return false;
    taken = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  bool AtDigit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }
  /// Between `least` and `most` digits.
  bool TakeNumber(int least, int most, int64_t& number) {
    number = 0;
    int count = 0;
    while (count < most && AtDigit()) {
      number = number * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
      ++count;
    }
    return count >= least;
  }

 private:
  std::string_view text_;
};

/// Days since 1970-01-01 in the proleptic Gregorian calendar, for any year >= 1: counts whole
/// 400-year eras from 0000-03-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = y / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

int64_t DaysInMonth(int64_t year, int64_t month) {
  constexpr int8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

struct CivilTime {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  int64_t second_of_day = 0;
  int64_t micros = 0;
  int64_t offset_seconds = 0;
};

bool ReadDate(Reader& reader, CivilTime& civil) {
  char sign = '+';
  const bool is_signed = reader.TakeAnyOf("+-", sign);
  if (!reader.TakeNumber(4, is_signed ? kMaxYearDigits : 4, civil.year)) return false;
  if (sign == '-') civil.year = -civil.year;
  if (!reader.Take('-') || !reader.TakeNumber(2, 2, civil.month)) return false;
  if (!reader.Take('-') || !reader.TakeNumber(2, 2, civil.day)) return false;
  return civil.month >= 1 && civil.month <= 12 && civil.day >= 1 &&
         civil.day <= DaysInMonth(civil.year, civil.month);
}

/// The digits after the point; those beyond the microsecond are read and cut off.
bool ReadFraction(Reader& reader, int64_t& micros) {
  if (!reader.AtDigit()) return false;
  int64_t unit = kMicrosPerSecond;
  while (reader.AtDigit()) {
    int64_t digit = 0;
    if (!reader.TakeNumber(1, 1, digit)) return false;
    unit /= 10;
    micros += digit * unit;
  }
  return true;
}

bool ReadClock(Reader& reader, CivilTime& civil) {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  if (!reader.TakeNumber(2, 2, hour) || hour > 23) return false;
  if (!reader.Take(':') || !reader.TakeNumber(2, 2, minute) || minute > 59) return false;
  if (reader.Take(':')) {
    if (!reader.TakeNumber(2, 2, second) || second > 59) return false;
    if (reader.Take('.') && !ReadFraction(reader, civil.micros)) return false;
  }
  civil.second_of_day = hour * 3600 + minute * 60 + second;
  return true;
}

bool ReadOffset(Reader& reader, CivilTime& civil) {
  char sign = '+';
  if (reader.TakeAnyOf("Zz", sign)) return true;
  if (!reader.TakeAnyOf("+-", sign)) return true;
  int64_t hours = 0;
  int64_t minutes = 0;
  int64_t seconds = 0;
  if (!reader.TakeNumber(2, 2, hours) || hours > 18) return false;
  const bool minutes_follow = reader.Take(':');
  if (minutes_follow || reader.AtDigit()) {
    if (!reader.TakeNumber(2, 2, minutes) || minutes > 59) return false;
    if (reader.Take(':') || reader.AtDigit()) {
      if (!reader.TakeNumber(2, 2, seconds) || seconds > 59) return false;
    }
  }
  civil.offset_seconds = hours * 3600 + minutes * 60 + seconds;
  if (sign == '-') civil.offset_seconds = -civil.offset_seconds;
  return true;
}

bool IsInfinity(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return text == "infinity" || text == "Infinity";
}

}  // namespace

IsoStatus ParseIsoTime(std::string_view text, int64_t& micros) {
  if (IsInfinity(text)) return IsoStatus::kUnusable;
  const bool before_christ = text.ends_with(" BC");
  if (before_christ) text.remove_suffix(3);
  Reader reader(text);
  CivilTime civil;
  char separator = 'T';
  if (!ReadDate(reader, civil)) return IsoStatus::kInvalid;
  if (reader.TakeAnyOf("Tt ", separator) && !ReadClock(reader, civil)) return IsoStatus::kInvalid;
  if (!ReadOffset(reader, civil) || !reader.AtEnd()) return IsoStatus::kInvalid;
  if (before_christ || civil.year < 1 || civil.year > 9999) return IsoStatus::kUnusable;
  const int64_t seconds = DaysFromCivil(civil.year, civil.month, civil.day) * 86'400 +
                          civil.second_of_day - civil.offset_seconds;
  const int64_t total = seconds * kMicrosPerSecond + civil.micros;
  if (total < kMinTimeMicros || total > kMaxTimeMicros) return IsoStatus::kUnusable;
  micros = total;
  return IsoStatus::kTime;
}

}  // namespace caracal::pipeline
