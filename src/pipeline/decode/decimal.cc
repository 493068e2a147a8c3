#include "pipeline/decode/decimal.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "agents/api/transaction.h"
#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

using Uint128 = unsigned __int128;

constexpr int kMaxDigits = 38;
/// Digits that fit a uint64 whatever they are.
constexpr int kMaxWordDigits = 19;
/// Digits that fit an int64 whatever they are.
constexpr int kMaxShortDigits = 18;
constexpr int64_t kExponentLimit = 1'000'000'000;
constexpr size_t kMaxBase64Bytes = 16;
constexpr int8_t kNotBase64 = -1;

constexpr std::array<Uint128, kMaxDigits + 1> MakePowersOfTen() {
  std::array<Uint128, kMaxDigits + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr std::array<Uint128, kMaxDigits + 1> kPowersOfTen = MakePowersOfTen();

constexpr std::array<uint64_t, kMaxShortDigits + 1> MakeShortPowers() {
  std::array<uint64_t, kMaxShortDigits + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr std::array<uint64_t, kMaxShortDigits + 1> kShortPowers = MakeShortPowers();

constexpr std::array<int8_t, 256> MakeBase64Values() {
  std::array<int8_t, 256> values{};
  for (int8_t& value : values) value = kNotBase64;
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}
constexpr std::array<int8_t, 256> kBase64Values = MakeBase64Values();

int Base64Value(char c) { return kBase64Values[static_cast<unsigned char>(c)]; }

/// Padding characters at the end of base64 text.
size_t PaddingOf(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with('=') ? 1 : 0;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Collects digits most significant first, up to kMaxDigits significant ones.
class DigitCollector {
 public:
  void Add(char c, bool after_point) {
    const auto digit = static_cast<uint64_t>(c - '0');
    seen_ = true;
    if (count_ < kMaxWordDigits) {
      word_ = word_ * 10 + digit;
      count_ += word_ != 0;
      scale_ += after_point;
    } else if (count_ < kMaxDigits) {
      if (count_ == kMaxWordDigits) wide_ = word_;
      wide_ = wide_ * 10 + digit;
      ++count_;
      scale_ += after_point;
    } else {
      truncated_ |= digit != 0;
      scale_ -= !after_point;
    }
  }
  bool seen() const { return seen_; }
  void MoveTo(Decimal& decimal) const {
    decimal.digits = count_ > kMaxWordDigits ? wide_ : Uint128{word_};
    decimal.scale = scale_;
    decimal.truncated = truncated_;
  }

 private:
  uint64_t word_ = 0;
  Uint128 wide_ = 0;
  int count_ = 0;
  int64_t scale_ = 0;
  bool truncated_ = false;
  bool seen_ = false;
};

/// The digits of a short number and how many of them follow the point.
struct ShortNumber {
  uint64_t digits = 0;
  int digit_count = 0;
  int fraction_count = 0;
  bool negative = false;
};

/// Up to 16 characters as two words, the last character highest, zeros ('0') before the first.
/// Reads what is there only, with two overlapping loads.
struct Characters {
  uint64_t low;
  uint64_t high;
};

constexpr uint64_t kZeros = scan::kOnes * '0';
constexpr size_t kWordBytes = sizeof(uint64_t);

/// `word` shifted up by `bits` (0..63), with zeros below.
uint64_t ShiftedOntoZeros(uint64_t word, size_t bits) {
  return (word << bits) | ((kZeros >> 1) >> (63 - bits));
}

/// `size` in 1..8: as many characters, the first one lowest.
uint64_t LoadShort(const char* p, size_t size) {
  if (size >= sizeof(uint32_t)) {
    uint32_t first;
    uint32_t last;
    std::memcpy(&first, p, sizeof(first));
    std::memcpy(&last, p + size - sizeof(last), sizeof(last));
    return first | uint64_t{last} << (8 * (size - sizeof(last)));
  }
  const auto byte = [p](size_t i) { return uint64_t{static_cast<unsigned char>(p[i])} << (8 * i); };
  return byte(0) | byte(size / 2) | byte(size - 1);
}

/// `size` in 9..16.
Characters LoadCharacters(const char* p, size_t size) {
  return {ShiftedOntoZeros(scan::LoadWord(p), 8 * (2 * kWordBytes - size)),
          scan::LoadWord(p + size - kWordBytes)};
}

/// ReadWordNumber of at most 8 characters, in a word behind zeros.
bool ReadOneWord(uint64_t text, size_t size, ShortNumber& number) {
  number.digit_count = static_cast<int>(size);
  number.fraction_count = 0;
  if (const uint64_t marks = scan::BytesEqualTo(text, '.'); marks != 0) {
    const size_t point = scan::FirstMark(marks);
    number.fraction_count = static_cast<int>(kWordBytes - 1 - point);
    number.digit_count -= 1;
    if (number.digit_count <= number.fraction_count) return false;
    // What is before the point closes up.
    const uint64_t before = (uint64_t{1} << (8 * point)) - 1;
    text = (text & ~(before << 8 | 0xFF)) | (text & before) << 8 | '0';
  }
  if (scan::BytesNotDigit(text) != 0) return false;
  number.digits = scan::JoinDigits(text - kZeros);
  return true;
}

/// Reads `d{1,}[.d{0,7}]` of at most 16 characters without looking at them one by one: numbers of
/// varying length mislead the processor's guesses, which costs more than the arithmetic. False says
/// nothing.
bool ReadWordNumber(const char* p, size_t size, ShortNumber& number) {
  if (size - 1 >= 2 * kWordBytes) return false;
  if (size <= kWordBytes) {
    return ReadOneWord(ShiftedOntoZeros(LoadShort(p, size), 8 * (kWordBytes - size)), size, number);
  }
  Characters text = LoadCharacters(p, size);
  number.digit_count = static_cast<int>(size);
  number.fraction_count = 0;
  if (const uint64_t marks = scan::BytesEqualTo(text.high, '.'); marks != 0) {
    const size_t point = scan::FirstMark(marks);
    number.fraction_count = static_cast<int>(kWordBytes - 1 - point);
    number.digit_count -= 1;
    if (number.digit_count <= number.fraction_count) return false;
    // What is before the point closes up.
    const uint64_t before = (uint64_t{1} << (8 * point)) - 1;
    const uint64_t behind = ~(before << 8 | 0xFF);
    text.high = (text.high & behind) | (text.high & before) << 8 | text.low >> 56;
    text.low = text.low << 8 | '0';
  }
  if ((scan::BytesNotDigit(text.low) | scan::BytesNotDigit(text.high)) != 0) return false;
  number.digits =
      scan::JoinDigits(text.low - kZeros) * 100'000'000 + scan::JoinDigits(text.high - kZeros);
  return true;
}

/// Reads digits up to something else, which it returns.
inline const char* ReadDigits(const char* p, const char* end, uint64_t& digits) {
  uint64_t number = digits;
  for (; p < end; ++p) {
    const uint64_t digit = static_cast<uint64_t>(static_cast<unsigned char>(*p)) - '0';
    if (digit > 9) break;
    number = number * 10 + digit;
  }
  digits = number;
  return p;
}

/// False leaves `number` in any state.
bool ReadShortNumber(std::string_view text, ShortNumber& number) {
  if (text.empty() || text.size() > kMaxShortDigits) return false;
  const char* p = text.data();
  const char* const end = p + text.size();
  number.negative = *p == '-';
  const char* const integer = p + (number.negative ? 1 : 0);
  if (ReadWordNumber(integer, static_cast<size_t>(end - integer), number)) return true;
  p = ReadDigits(integer, end, number.digits);
  if (p == integer) return false;
  number.digit_count = static_cast<int>(p - integer);
  if (p == end) return true;
  if (*p != '.') return false;
  const char* const fraction = p + 1;
  p = ReadDigits(fraction, end, number.digits);
  number.fraction_count = static_cast<int>(p - fraction);
  number.digit_count += number.fraction_count;
  return p == end;
}

int64_t Signed(uint64_t magnitude, bool negative) {
  const auto value = static_cast<int64_t>(magnitude);
  return negative ? -value : value;
}

/// False when digits would be lost at either end.
bool ScaleUp(const ShortNumber& number, int scale, int64_t& units) {
  const int shift = scale - number.fraction_count;
  if (shift < 0 || number.digit_count + shift > kMaxShortDigits) return false;
  units = Signed(number.digits * kShortPowers[static_cast<size_t>(shift)], number.negative);
  return true;
}

/// Reads `[+-]d{1,}` up to the end of the text; saturates at the limit.
bool ReadExponent(const char* p, const char* end, int64_t& exponent) {
  bool negative = false;
  if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
  if (p == end) return false;
  exponent = 0;
  for (; p < end; ++p) {
    if (!IsDigit(*p)) return false;
    exponent = std::min(exponent * 10 + (*p - '0'), kExponentLimit);
  }
  if (negative) exponent = -exponent;
  return true;
}

/// Names of NaN and the infinities without sign: Debezium's string mode (NAN, POSITIVE_INFINITY),
/// its double mode and Java (NaN, Infinity), PostgreSQL (Infinity, infinity), and short forms.
bool IsNotFinite(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  constexpr std::string_view kNames[] = {
      "NaN", "NAN", "nan", "Infinity",          "INFINITY",         "infinity",
      "Inf", "INF", "inf", "POSITIVE_INFINITY", "NEGATIVE_INFINITY"};
  return std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames);
}

/// digits * 10^shift split at the unit: the whole units (saturated at 10^16) and the rest.
struct Scaled {
  uint64_t whole = 0;
  bool has_rest = false;
  /// The rest is at least half a unit.
  bool half_or_more = false;
};

constexpr uint64_t kSaturated = 10'000'000'000'000'000;

Scaled ScaleUp(const Decimal& decimal, int64_t shift) {
  // One digit shifted by 16 is already saturated.
  if (shift >= 16) return {kSaturated, decimal.truncated, false};
  if (decimal.digits > kSaturated) return {kSaturated, decimal.truncated, false};
  // At most 10^16 * 10^15: the product fits 128 bits.
  const Uint128 units = decimal.digits * kPowersOfTen[static_cast<size_t>(shift)];
  return {static_cast<uint64_t>(std::min<Uint128>(units, kSaturated)), decimal.truncated, false};
}

Scaled ScaleDown(const Decimal& decimal, int64_t places) {
  if (places > kMaxDigits) return {0, true, false};
  const Uint128 power = kPowersOfTen[static_cast<size_t>(places)];
  Uint128 whole = 0;
  Uint128 rest = decimal.digits;
  if (decimal.digits <= UINT64_MAX && power <= UINT64_MAX) {
    const auto digits = static_cast<uint64_t>(decimal.digits);
    whole = digits / static_cast<uint64_t>(power);
    rest = digits % static_cast<uint64_t>(power);
  } else if (decimal.digits >= power) {
    whole = decimal.digits / power;
    rest = decimal.digits % power;
  }
  return {static_cast<uint64_t>(std::min<Uint128>(whole, kSaturated)),
          rest != 0 || decimal.truncated, rest >= power - rest};
}

Scaled ScaleTo(const Decimal& decimal, int scale) {
  if (decimal.digits == 0) return {0, decimal.truncated, false};
  const int64_t shift = scale - decimal.scale;
  return shift >= 0 ? ScaleUp(decimal, shift) : ScaleDown(decimal, -shift);
}

}  // namespace

bool ParseShortExact(std::string_view text, int scale, int64_t& units) {
  ShortNumber number;
  return ReadShortNumber(text, number) && ScaleUp(number, scale, units);
}

bool ParseShortRounded(std::string_view text, int scale, int64_t& units) {
  ShortNumber number;
  if (!ReadShortNumber(text, number)) return false;
  if (number.fraction_count <= scale) return ScaleUp(number, scale, units);
  const uint64_t unit = kShortPowers[static_cast<size_t>(number.fraction_count - scale)];
  units = Signed((number.digits + unit / 2) / unit, number.negative);
  return true;
}

DecimalStatus ParseDecimal(std::string_view text, Decimal& decimal) {
  const char* p = text.data();
  const char* const end = p + text.size();
  decimal = Decimal{};
  if (p < end && (*p == '-' || *p == '+')) decimal.negative = *p++ == '-';
  DigitCollector digits;
  for (; p < end && IsDigit(*p); ++p) digits.Add(*p, false);
  if (p < end && *p == '.') {
    for (++p; p < end && IsDigit(*p); ++p) digits.Add(*p, true);
  }
  int64_t exponent = 0;
  bool valid = digits.seen();
  if (valid && p < end) valid = (*p == 'e' || *p == 'E') && ReadExponent(p + 1, end, exponent);
  if (!valid) return IsNotFinite(text) ? DecimalStatus::kNotFinite : DecimalStatus::kInvalid;
  digits.MoveTo(decimal);
  decimal.scale -= exponent;
  return DecimalStatus::kOk;
}

bool LooksLikeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return false;
  text.remove_suffix(PaddingOf(text));
  return std::all_of(text.begin(), text.end(), [](char c) { return Base64Value(c) >= 0; });
}

bool ParseShortBase64(std::string_view text, int64_t& number) {
  if (text.size() != 4 && text.size() != 8) return false;
  const size_t padding = PaddingOf(text);
  const size_t digits = text.size() - padding;
  uint64_t bits = 0;
  int invalid = 0;
  for (size_t i = 0; i < digits; ++i) {
    const int sextet = Base64Value(text[i]);
    invalid |= sextet;
    bits = bits << 6 | static_cast<uint8_t>(sextet);
  }
  // Bits that belong to no byte.
  const size_t over = 2 * padding;
  if (invalid < 0 || (bits & ((1U << over) - 1)) != 0) return false;
  const size_t unused = 64 - (6 * digits - over);
  number = static_cast<int64_t>(bits >> over << unused) >> unused;
  return true;
}

DecimalStatus ParseBase64Decimal(std::string_view text, int32_t scale, Decimal& decimal) {
  if (text.empty() || text.size() % 4 != 0) return DecimalStatus::kInvalid;
  const size_t padding = PaddingOf(text);
  if (text.size() / 4 * 3 - padding > kMaxBase64Bytes) {
    return LooksLikeBase64(text) ? DecimalStatus::kTooLong : DecimalStatus::kInvalid;
  }
  text.remove_suffix(padding);
  // The first byte's high bit is the sign: an all-ones start extends it.
  Uint128 value = Base64Value(text.front()) >= 32 ? ~Uint128{0} : Uint128{0};
  uint32_t pending = 0;
  int pending_bits = 0;
  for (const char c : text) {
    const int sextet = Base64Value(c);
    if (sextet < 0) return DecimalStatus::kInvalid;
    pending = (pending << 6) | static_cast<uint32_t>(sextet);
    pending_bits += 6;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    value = (value << 8) | ((pending >> pending_bits) & 0xFF);
    pending &= (1U << pending_bits) - 1;
  }
  // Bits that belong to no byte must be zero, else one number would have several texts.
  if (pending != 0) return DecimalStatus::kInvalid;
  decimal = Decimal{};
  decimal.negative = (value >> 127) != 0;
  decimal.digits = decimal.negative ? ~value + 1 : value;
  decimal.scale = scale;
  return DecimalStatus::kOk;
}

MinorUnitsStatus ToMinorUnits(const Decimal& decimal, int scale, int64_t& amount) {
  constexpr auto kLimit = static_cast<uint64_t>(agents::kMaxAmount);
  const Scaled scaled = ScaleTo(decimal, scale);
  if (scaled.whole > kLimit || (scaled.whole == kLimit && scaled.has_rest)) {
    return MinorUnitsStatus::kOutOfRange;
  }
  if (scaled.has_rest) return MinorUnitsStatus::kInexact;
  amount = Signed(scaled.whole, decimal.negative);
  return MinorUnitsStatus::kOk;
}

bool RoundToScale(const Decimal& decimal, int scale, int64_t limit, int64_t& value) {
  const Scaled scaled = ScaleTo(decimal, scale);
  const uint64_t rounded = scaled.whole + (scaled.half_or_more ? 1 : 0);
  if (rounded > static_cast<uint64_t>(limit)) return false;
  value = Signed(rounded, decimal.negative);
  return true;
}

}  // namespace caracal::pipeline
