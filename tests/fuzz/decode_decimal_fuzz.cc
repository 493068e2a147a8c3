// Reads an input as decimal text and as base64 and compares with a second reading that works on
// digit strings, slowly and without limits.
//
// Input: one byte for the stream's scale, one for the source scale, then the text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agents/api/check.h"
#include "pipeline/decode/decimal.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kLimit = "1000000000000000";

/// "ok:<units>", "inexact" or "out of range".
std::string UnitsOf(const Decimal& decimal, int scale) {
  int64_t amount = 0;
  switch (ToMinorUnits(decimal, scale, amount)) {
    case MinorUnitsStatus::kOk:
      return "ok:" + std::to_string(amount);
    case MinorUnitsStatus::kInexact:
      return "inexact";
    case MinorUnitsStatus::kOutOfRange:
      break;
  }
  return "out of range";
}

/// The units of `digits` * 10^shift, `digits` any string of digits.
std::string ExpectedUnits(bool negative, std::string digits, int64_t shift) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++shift;
  }
  if (digits.empty()) return "ok:0";
  if (static_cast<int64_t>(digits.size()) + shift > 16) return "out of range";
  std::string whole = digits;
  bool has_rest = false;
  for (; shift > 0; --shift) whole += '0';
  if (shift < 0) {
    const int64_t kept = static_cast<int64_t>(digits.size()) + shift;
    whole = kept > 0 ? digits.substr(0, static_cast<size_t>(kept)) : "0";
    has_rest = true;
  }
  const bool is_longer = whole.size() > kLimit.size();
  const bool is_greater = whole.size() == kLimit.size() && whole > kLimit;
  if (is_longer || is_greater || (whole == kLimit && has_rest)) return "out of range";
  if (has_rest) return "inexact";
  return "ok:" + std::string(negative ? "-" : "") + whole;
}

/// The second reading of decimal text; nullopt = not a number.
std::optional<std::string> ExpectedOfText(std::string_view text, int scale) {
  bool negative = false;
  size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
  std::string digits;
  int64_t shift = scale;
  const auto take_digits = [&](bool fraction) {
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      digits += text[i];
      shift -= fraction ? 1 : 0;
    }
  };
  take_digits(false);
  if (i < text.size() && text[i] == '.') {
    ++i;
    take_digits(true);
  }
  if (digits.empty()) return std::nullopt;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    ++i;
    bool minus = false;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) minus = text[i++] == '-';
    if (i == text.size()) return std::nullopt;
    int64_t exponent = 0;
    for (; i < text.size(); ++i) {
      if (text[i] < '0' || text[i] > '9') return std::nullopt;
      exponent = std::min<int64_t>(exponent * 10 + (text[i] - '0'), 1'000'000'000);
    }
    shift += minus ? -exponent : exponent;
  }
  return ExpectedUnits(negative, digits, shift);
}

/// Decimal digits of big-endian bytes.
std::string DigitsOf(std::string bytes) {
  std::string digits;
  while (bytes.find_first_not_of('\0') != std::string::npos) {
    uint32_t rest = 0;
    for (char& c : bytes) {
      rest = rest << 8 | static_cast<unsigned char>(c);
      c = static_cast<char>(rest / 10);
      rest %= 10;
    }
    digits.insert(digits.begin(), static_cast<char>('0' + rest));
  }
  return digits;
}

std::string Encode(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t size = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j)
      text += j <= size ? kAlphabet[(group >> (18 - 6 * j)) & 63] : '=';
  }
  return text;
}

/// The short readings say what the long one says, or nothing.
void CheckShort(std::string_view text, int scale) {
  constexpr int64_t kUnitsMax = 1'000'000'000'000'000;
  Decimal decimal;
  int64_t units = 0;
  if (ParseShortExact(text, scale, units)) {
    CHECK(ParseDecimal(text, decimal) == DecimalStatus::kOk);
    const bool in_range = units >= -kUnitsMax && units <= kUnitsMax;
    CHECK(UnitsOf(decimal, scale) == (in_range ? "ok:" + std::to_string(units) : "out of range"));
  }
  if (ParseShortRounded(text, scale, units)) {
    CHECK(ParseDecimal(text, decimal) == DecimalStatus::kOk);
    int64_t rounded = 0;
    const bool in_range = RoundToScale(decimal, scale, kUnitsMax, rounded);
    CHECK(in_range == (units >= -kUnitsMax && units <= kUnitsMax));
    CHECK(!in_range || rounded == units);
  }
}

void CheckText(std::string_view text, int scale) {
  CheckShort(text, scale);
  Decimal decimal;
  const DecimalStatus status = ParseDecimal(text, decimal);
  const std::optional<std::string> expected = ExpectedOfText(text, scale);
  CHECK((status == DecimalStatus::kOk) == expected.has_value());
  if (expected.has_value()) CHECK(UnitsOf(decimal, scale) == *expected);
  // Whatever the text is, reading it as base64 must end, and agree on what base64 is.
  if (ParseBase64Decimal(text, 0, decimal) != DecimalStatus::kInvalid) CHECK(LooksLikeBase64(text));
}

void CheckBytes(std::string_view bytes, int source_scale, int scale) {
  const std::string text = Encode(bytes);
  Decimal decimal;
  const DecimalStatus status = ParseBase64Decimal(text, source_scale, decimal);
  if (bytes.empty() || bytes.size() > 16) {
    CHECK(status == (bytes.empty() ? DecimalStatus::kInvalid : DecimalStatus::kTooLong));
    return;
  }
  CHECK(status == DecimalStatus::kOk);
  std::string magnitude(bytes);
  const bool negative = static_cast<unsigned char>(bytes.front()) >= 0x80;
  if (negative) {
    for (char& c : magnitude) c = static_cast<char>(~c);
    for (size_t i = magnitude.size(); i-- > 0 && ++magnitude[i] == '\0';) {
    }
  }
  CHECK(UnitsOf(decimal, scale) ==
        ExpectedUnits(negative, DigitsOf(magnitude), int64_t{scale} - source_scale));
}

}  // namespace
}  // namespace caracal::pipeline

namespace caracal::pipeline {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const int scale = data[0] % 16;
  const int source_scale = static_cast<int8_t>(data[1]);
  // A copy of exactly the text, so that a sanitizer sees every byte read too far.
  const std::string copy(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::unique_ptr<char[]> exact(new char[copy.size() + 1]);
  std::memcpy(exact.get() + 1, copy.data(), copy.size());
  CheckText({exact.get() + 1, copy.size()}, scale);
  CheckBytes(copy, source_scale, scale);
  return 0;
}

}  // namespace caracal::pipeline
