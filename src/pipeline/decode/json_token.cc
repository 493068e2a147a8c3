#include "pipeline/decode/json_token.h"

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <vector>

#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The code unit of the four hex digits at `p`; -1 when they are not hex.
int32_t ReadHex4(const char* p) {
  int32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexValue(p[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

/// Skips the escape whose backslash is at `p`; nullptr when it is not one.
const char* SkipEscape(const char* p, const char* end) {
  if (end - p < 2) return nullptr;
  if (p[1] == 'u') return end - p >= 6 && ReadHex4(p + 2) >= 0 ? p + 6 : nullptr;
  switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return p + 2;
    default:
      return nullptr;
  }
}

/// The digits of a word as bytes 0..9, the first digit lowest.
uint64_t LoadDigits(const char* digits) { return scan::LoadWord(digits) - 0x3030303030303030; }

constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr std::array<uint64_t, kWordBytes + 1> kPowersOfTen = {
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};

/// Nearly all times have 9..16 digits.
bool HasWordsOfDigits(size_t size) { return size > kWordBytes && size <= 2 * kWordBytes; }

/// The number that 9..16 digits stand for.
uint64_t ReadWordsOfDigits(const char* digits, size_t size) {
  // The last word without the digits that are in the first one, too.
  const size_t rest = size - kWordBytes;
  const uint64_t last = LoadDigits(digits + rest) & (~uint64_t{0} << (8 * (kWordBytes - rest)));
  return scan::JoinDigits(LoadDigits(digits)) * kPowersOfTen[rest] + scan::JoinDigits(last);
}

/// The number that 1..19 digits stand for.
uint64_t ReadDigits(const char* digits, size_t size) {
  if (HasWordsOfDigits(size)) return ReadWordsOfDigits(digits, size);
  uint64_t number = 0;
  size_t i = 0;
  for (; i + kWordBytes <= size; i += kWordBytes) {
    number = number * 100'000'000 + scan::JoinDigits(LoadDigits(digits + i));
  }
  for (; i < size; ++i) number = number * 10 + static_cast<uint64_t>(digits[i] - '0');
  return number;
}

/// ReadInt64 of any number without point and exponent.
bool ReadInteger(std::string_view text, int64_t& value) {
  const size_t sign = text.front() == '-' ? 1 : 0;
  const size_t size = text.size() - sign;
  // JSON has no leading zeros, and 19 digits fit an unsigned word whatever they are.
  if (size > 19) return false;
  const uint64_t magnitude = ReadDigits(text.data() + sign, size);
  if (magnitude > uint64_t{INT64_MAX} + sign) return false;
  value = static_cast<int64_t>(sign == 0 ? magnitude : 0 - magnitude);
  return true;
}

/// Appends the UTF-8 form of a code point.
char* AppendUtf8(uint32_t code, char* to) {
  if (code < 0x80) {
    *to++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *to++ = static_cast<char>(0xC0 | (code >> 6));
    *to++ = static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *to++ = static_cast<char>(0xE0 | (code >> 12));
    *to++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    *to++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *to++ = static_cast<char>(0xF0 | (code >> 18));
    *to++ = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    *to++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    *to++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return to;
}

/// Reads the \u escape at `p` and its second half if it is a surrogate pair; nullptr when unpaired.
const char* ReadUnicodeEscape(const char* p, const char* end, uint32_t& code) {
  const auto first = static_cast<uint32_t>(ReadHex4(p + 2));
  p += 6;
  code = first;
  if (first < 0xD800 || first > 0xDFFF) return p;
  if (first > 0xDBFF || end - p < 6 || p[0] != '\\' || p[1] != 'u') return nullptr;
  const auto second = static_cast<uint32_t>(ReadHex4(p + 2));
  if (second < 0xDC00 || second > 0xDFFF) return nullptr;
  code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  return p + 6;
}

char UnescapedByte(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;
  }
}

TextStatus ReadStringText(const JsonToken& token, Arena& arena, std::string_view& text) {
  if (token.plain) {
    text = token.text;
  } else {
    char* to = arena.Allocate(token.text.size());
    const int64_t size = UnescapeString(token.text, to);
    if (size < 0) return TextStatus::kUnreadable;
    text = {to, static_cast<size_t>(size)};
  }
  if (text != kToastPlaceholder) return TextStatus::kText;
  text = {};
  return TextStatus::kNull;
}

}  // namespace

namespace scan {

const char* ScanSpecialString(const char* begin, const char* special, const char* end,
                              JsonToken& token) {
  bool plain = true;
  bool ascii = true;
  const char* p = special;
  while (p != end && *p != '"') {
    if (*p == '\\') {
      plain = false;
      p = SkipEscape(p, end);
      if (p == nullptr) return nullptr;
    } else if (static_cast<unsigned char>(*p) >= 0x80) {
      ascii = false;
      ++p;
    } else {
      return nullptr;
    }
    p = FindSpecial(p, end);
  }
  if (p == end) return nullptr;
  const std::string_view text(begin, static_cast<size_t>(p - begin));
  if (!ascii && !simdjson::validate_utf8(text)) return nullptr;
  Set(token, text, JsonKind::kString, plain);
  return p + 1;
}

const char* ScanFraction(const char* p, const char* end) {
  if (*p == '.') {
    const char* const fraction = ++p;
    p = SkipDigits(p, end);
    if (p == fraction) return nullptr;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p < end && (*p == '+' || *p == '-')) ++p;
    const char* const exponent = p;
    p = SkipDigits(p, end);
    if (p == exponent) return nullptr;
  }
  return p;
}

}  // namespace scan

bool ReadInt64(const JsonToken& token, int64_t& value) {
  if (token.kind != JsonKind::kNumber || !token.plain) return false;
  const std::string_view text = token.text;
  if (text.front() == '-' || !HasWordsOfDigits(text.size())) return ReadInteger(text, value);
  value = static_cast<int64_t>(ReadWordsOfDigits(text.data(), text.size()));
  return true;
}

bool IsText(const JsonToken& token, std::string_view text) {
  if (token.kind != JsonKind::kString) return false;
  if (token.plain) return token.text == text;
  // Hardly anyone escapes what we compare with: names and operations.
  std::vector<char> unescaped(token.text.size());
  const int64_t size = UnescapeString(token.text, unescaped.data());
  return size >= 0 && std::string_view(unescaped.data(), static_cast<size_t>(size)) == text;
}

int64_t UnescapeString(std::string_view escaped, char* to) {
  char* const start = to;
  const char* p = escaped.data();
  const char* const end = p + escaped.size();
  while (p < end) {
    if (*p != '\\') {
      *to++ = *p++;
    } else if (p[1] == 'u') {
      uint32_t code = 0;
      p = ReadUnicodeEscape(p, end, code);
      if (p == nullptr) return -1;
      to = AppendUtf8(code, to);
    } else {
      *to++ = UnescapedByte(p[1]);
      p += 2;
    }
  }
  return to - start;
}

TextStatus ReadRareText(const JsonToken& token, Arena& arena, std::string_view& text) {
  switch (token.kind) {
    case JsonKind::kString:
      return ReadStringText(token, arena, text);
    case JsonKind::kNumber:
      text = token.text == "-0" ? std::string_view("0") : token.text;
      return TextStatus::kText;
    case JsonKind::kBool:
      text = token.text;
      return TextStatus::kText;
    case JsonKind::kNull:
    case JsonKind::kAbsent:
      return TextStatus::kNull;
    case JsonKind::kObject:
    case JsonKind::kArray:
      return TextStatus::kUnreadable;
  }
  return TextStatus::kUnreadable;
}

}  // namespace caracal::pipeline
