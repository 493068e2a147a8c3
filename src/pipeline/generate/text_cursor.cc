#include "pipeline/generate/text_cursor.h"

#include <array>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr int64_t kMicrosPerDay = 86'400'000'000;

constexpr std::array<char, 200> MakeDigitPairs() {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> kDigitPairs = MakeDigitPairs();

uint64_t Magnitude(int64_t value) {
  return value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
}

// Writes `value` so that it ends before `end`; returns its first digit.
char* WriteBackwards(uint64_t value, char* end) {
  while (value >= 100) {
    end -= 2;
    std::memcpy(end, &kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    std::memcpy(end, &kDigitPairs[2 * value], 2);
  } else {
    *--end = static_cast<char>('0' + value);
  }
  return end;
}

struct CivilDate {
  int64_t year;
  unsigned month;
  unsigned day;
};

// Days since 1970 to the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level
// date algorithms").
CivilDate ToCivilDate(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {static_cast<int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

// Bytes of the UTF-8 sequence that starts at text[i]; 0 = ill-formed.
size_t Utf8SequenceLength(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[i + k]); };
  const auto continues = [&](size_t k) { return i + k < text.size() && (byte(k) >> 6) == 0b10; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !continues(1)) return 0;
  if (lead < 0xE0) return 2;
  if (!continues(2)) return 0;
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead < 0xF0) return 3;
  if (!continues(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return 4;
}

}  // namespace

void TextCursor::PutInteger(int64_t value) {
  char buffer[20];
  if (value < 0) Put('-');
  char* const end = buffer + sizeof(buffer);
  const char* const begin = WriteBackwards(Magnitude(value), end);
  Put(std::string_view(begin, static_cast<size_t>(end - begin)));
}

void TextCursor::PutDigits(uint64_t value, int digits) {
  char* at = at_ + digits;
  for (; digits >= 2; digits -= 2) {
    at -= 2;
    std::memcpy(at, &kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
    at_ += 2;
  }
  if (digits == 1) {
    *--at = static_cast<char>('0' + value);
    ++at_;
  }
}

void TextCursor::PutDecimal(int64_t unscaled, int scale) {
  DCHECK(scale >= 0 && scale <= 18);
  uint64_t power = 1;
  for (int i = 0; i < scale; ++i) power *= 10;
  const uint64_t magnitude = Magnitude(unscaled);
  if (unscaled < 0) Put('-');
  char buffer[20];
  char* const end = buffer + sizeof(buffer);
  const char* const begin = WriteBackwards(magnitude / power, end);
  Put(std::string_view(begin, static_cast<size_t>(end - begin)));
  if (scale == 0) return;
  Put('.');
  PutDigits(magnitude % power, scale);
}

void TextCursor::PutJavaDouble(int64_t unscaled, int scale) {
  if (unscaled == 0) return Put("0.0");
  if (unscaled < 0) Put('-');
  char buffer[20];
  char* const end = buffer + sizeof(buffer);
  char* const begin = WriteBackwards(Magnitude(unscaled), end);
  const int exponent = static_cast<int>(end - begin) - 1 - scale;
  std::string_view digits(begin, static_cast<size_t>(end - begin));
  digits.remove_suffix(digits.size() - 1 - digits.find_last_not_of('0'));

  if (exponent < -3 || exponent >= 7) {
    Put(digits[0]);
    Put('.');
    Put(digits.size() > 1 ? digits.substr(1) : "0");
    Put('E');
    return PutInteger(exponent);
  }
  if (exponent < 0) {
    Put("0.");
    for (int i = -1; i > exponent; --i) Put('0');
    return Put(digits);
  }
  const auto whole = static_cast<size_t>(exponent) + 1;
  Put(digits.substr(0, whole));
  for (size_t i = digits.size(); i < whole; ++i) Put('0');
  Put('.');
  Put(digits.size() > whole ? digits.substr(whole) : "0");
}

void TextCursor::PutBase64Decimal(int64_t unscaled) {
  int bytes = 1;
  while (bytes < 8 && (unscaled >> (8 * bytes - 1)) != 0 && (unscaled >> (8 * bytes - 1)) != -1) {
    ++bytes;
  }
  const auto byte = [&](int index) -> unsigned {
    return index < bytes ? static_cast<unsigned>(unscaled >> (8 * (bytes - 1 - index))) & 0xFF : 0;
  };
  for (int i = 0; i < bytes; i += 3) {
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    Put(kBase64Digits[group >> 18]);
    Put(kBase64Digits[(group >> 12) & 63]);
    Put(i + 1 < bytes ? kBase64Digits[(group >> 6) & 63] : '=');
    Put(i + 2 < bytes ? kBase64Digits[group & 63] : '=');
  }
}

void TextCursor::PutTimestamp(int64_t micros) {
  const int64_t days = (micros >= 0 ? micros : micros - (kMicrosPerDay - 1)) / kMicrosPerDay;
  const auto of_day = static_cast<uint64_t>(micros - days * kMicrosPerDay);
  const CivilDate date = ToCivilDate(days);
  PutDigits(static_cast<uint64_t>(date.year), 4);
  Put('-');
  PutDigits(date.month, 2);
  Put('-');
  PutDigits(date.day, 2);
  Put(' ');
  PutDigits(of_day / 3'600'000'000, 2);
  Put(':');
  PutDigits(of_day / 60'000'000 % 60, 2);
  Put(':');
  PutDigits(of_day / 1'000'000 % 60, 2);
  Put('.');
  PutDigits(of_day % 1'000'000, 6);
}

void TextCursor::PutHex32(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) Put(kHexDigits[(value >> shift) & 15]);
}

void TextCursor::PutJsonEscaped(std::string_view text) {
  // A local, because a store through a char pointer may change the member for all the compiler
  // knows.
  char* at = at_;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20) {
      // Written in any case and kept where it is needed: a message has a quote every few bytes,
      // which a branch would mispredict.
      *at = '\\';
      at += static_cast<int>(c == '"') | static_cast<int>(c == '\\');
      *at++ = c;
      continue;
    }
    std::memcpy(at, "\\u00", 4);
    at[4] = kHexDigits[c >> 4];
    at[5] = kHexDigits[c & 15];
    at += kJsonEscapeFactor;
  }
  at_ = at;
}

bool IsUtf8(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  for (size_t i = 0; i < text.size();) {
    // Messages are ASCII but for a few characters.
    uint64_t word = 0;
    if (i + sizeof(word) <= text.size()) {
      std::memcpy(&word, text.data() + i, sizeof(word));
      if ((word & kHighBits) == 0) {
        i += sizeof(word);
        continue;
      }
    }
    const size_t length = Utf8SequenceLength(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

}  // namespace caracal::pipeline
