#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "pipeline/decode/json_token.h"

// The scalar scanners, inline because matching a layout is little else. Strict by RFC 8259 (control
// characters, escapes, number grammar) and UTF-8; nothing at or beyond `end` is read.

namespace caracal::pipeline {

static_assert(std::endian::native == std::endian::little, "eight bytes are read as one word");

namespace scan {

inline constexpr uint64_t kOnes = 0x0101010101010101;
inline constexpr uint64_t kHighBits = 0x8080808080808080;

inline uint64_t LoadWord(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

// The masks below mark bytes by their high bit. Only the lowest mark is exact (a borrow or carry
// may disturb the bytes above it), and only the lowest is used.

constexpr uint64_t BytesEqualTo(uint64_t word, char c) {
  const uint64_t x = word ^ (kOnes * static_cast<unsigned char>(c));
  return (x - kOnes) & ~x & kHighBits;
}
constexpr uint64_t BytesBelowSpace(uint64_t word) {
  return (word - kOnes * 0x20) & ~word & kHighBits;
}
constexpr uint64_t BytesNotDigit(uint64_t word) {
  const uint64_t x = word ^ (kOnes * '0');
  return ((x + kOnes * 0x76) | x) & kHighBits;
}
/// The number that eight digits stand for, given as bytes 0..9, the first digit lowest: pairs, then
/// fours, then all eight are put together within one word.
constexpr uint64_t JoinDigits(uint64_t digits) {
  digits = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FF;
  digits = (digits * 100 + (digits >> 16)) & 0x0000FFFF0000FFFF;
  return (digits * 10'000 + (digits >> 32)) & 0x00000000FFFFFFFF;
}
inline size_t FirstMark(uint64_t marks) { return std::countr_zero(marks) >> 3; }

#ifdef __SSE2__
inline constexpr ptrdiff_t kBlockBytes = 16;

inline __m128i LoadBlock(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
/// Bit i is set when byte i is a quote, a backslash, a control character or not ASCII.
inline uint32_t SpecialsIn(const char* from) {
  const __m128i block = LoadBlock(from);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
  const __m128i marks = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                                  _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))),
                                     _mm_or_si128(control, block));
  return static_cast<uint32_t>(_mm_movemask_epi8(marks));
}
/// Bit i is set when byte i is no digit.
inline uint32_t NotDigitsIn(const char* from) {
  const __m128i above_zero = _mm_sub_epi8(LoadBlock(from), _mm_set1_epi8('0'));
  const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(above_zero, _mm_set1_epi8(9)), above_zero);
  return static_cast<uint32_t>(_mm_movemask_epi8(digits)) ^ 0xFFFFU;
}
#endif

/// First byte in [p, end) that is a quote, a backslash, a control character or not ASCII.
inline const char* FindSpecial(const char* p, const char* end) {
#ifdef __SSE2__
  for (; end - p >= kBlockBytes; p += kBlockBytes) {
    const uint32_t marks = SpecialsIn(p);
    if (marks != 0) return p + std::countr_zero(marks);
  }
#endif
  for (; end - p >= 8; p += 8) {
    const uint64_t word = LoadWord(p);
    const uint64_t marks = BytesEqualTo(word, '"') | BytesEqualTo(word, '\\') |
                           BytesBelowSpace(word) | (word & kHighBits);
    if (marks != 0) return p + FirstMark(marks);
  }
  while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20 &&
         static_cast<unsigned char>(*p) < 0x80) {
    ++p;
  }
  return p;
}

inline const char* SkipDigits(const char* p, const char* end) {
#ifdef __SSE2__
  for (; end - p >= kBlockBytes; p += kBlockBytes) {
    const uint32_t marks = NotDigitsIn(p);
    if (marks != 0) return p + std::countr_zero(marks);
  }
#endif
  for (; end - p >= 8; p += 8) {
    const uint64_t marks = BytesNotDigit(LoadWord(p));
    if (marks != 0) return p + FirstMark(marks);
  }
  while (p < end && *p >= '0' && *p <= '9') ++p;
  return p;
}

/// Member by member: a token built aside and copied as a whole would stall on the store buffer.
inline void Set(JsonToken& token, std::string_view text, JsonKind kind, bool plain) {
  token.text = text;
  token.kind = kind;
  token.plain = plain;
}

/// The rest of a string from its first byte that needs a closer look; see ScanString.
const char* ScanSpecialString(const char* begin, const char* special, const char* end,
                              JsonToken& token);

/// The part of a number behind its integer digits; see ScanScalar.
const char* ScanFraction(const char* p, const char* end);

inline bool IsExponentMark(char c) { return (c | 0x20) == 'e'; }

#ifdef __SSE2__
/// The end of a number without exponent that ends, with one more byte, within a block from its
/// first digit; nullptr when it has to be looked at more closely. Sets whether it has no point.
inline const char* FindNumberEnd(const char* integer, bool& plain) {
  const uint32_t marks = NotDigitsIn(integer);
  const int digits = std::countr_zero(marks | 0x10000U);
  if (digits == 0 || digits == kBlockBytes) return nullptr;
  const char* p = integer + digits;
  plain = *p != '.';
  if (!plain) {
    const int size = std::countr_zero((marks & (marks - 1)) | 0x10000U);
    if (size == digits + 1 || size == kBlockBytes) return nullptr;
    p = integer + size;
  }
  if (IsExponentMark(*p) || (*integer == '0' && digits > 1)) return nullptr;
  return p;
}
#endif

inline const char* ScanNumber(const char* begin, const char* end, JsonToken& token) {
  const char* const integer = begin + (*begin == '-' ? 1 : 0);
#ifdef __SSE2__
  if (end - integer >= kBlockBytes) {
    bool plain = true;
    if (const char* const number_end = FindNumberEnd(integer, plain); number_end != nullptr) {
      Set(token, {begin, static_cast<size_t>(number_end - begin)}, JsonKind::kNumber, plain);
      return number_end;
    }
  }
#endif
  const char* p = SkipDigits(integer, end);
  if (p == integer || (*integer == '0' && p - integer > 1)) return nullptr;
  bool plain = true;
  if (p < end && (*p == '.' || IsExponentMark(*p))) {
    plain = false;
    p = ScanFraction(p, end);
    if (p == nullptr) return nullptr;
  }
  Set(token, {begin, static_cast<size_t>(p - begin)}, JsonKind::kNumber, plain);
  return p;
}

inline const char* ScanWord(const char* begin, const char* end, std::string_view word,
                            JsonKind kind, JsonToken& token) {
  if (static_cast<size_t>(end - begin) < word.size()) return nullptr;
  if (std::memcmp(begin, word.data(), word.size()) != 0) return nullptr;
  Set(token, {begin, word.size()}, kind, true);
  return begin + word.size();
}

}  // namespace scan

/// Reads the rest of a string whose opening quote is just before `begin`. Returns the first byte
/// behind its closing quote; nullptr when it is no valid string.
inline const char* ScanString(const char* begin, const char* end, JsonToken& token) {
  const char* const p = scan::FindSpecial(begin, end);
  if (p == end) return nullptr;
  if (*p != '"') return scan::ScanSpecialString(begin, p, end, token);
  scan::Set(token, {begin, static_cast<size_t>(p - begin)}, JsonKind::kString, true);
  return p + 1;
}

/// Reads the scalar that starts at `begin`. Returns the first byte behind it; nullptr when no valid
/// scalar starts there.
inline const char* ScanScalar(const char* begin, const char* end, JsonToken& token) {
  if (begin == end) return nullptr;
  // Strings and numbers first: a chain of two predictable branches.
  if (*begin == '"') return ScanString(begin + 1, end, token);
  if (*begin <= '9') return scan::ScanNumber(begin, end, token);
  switch (*begin) {
    case 'n':
      return scan::ScanWord(begin, end, "null", JsonKind::kNull, token);
    case 't':
      return scan::ScanWord(begin, end, "true", JsonKind::kBool, token);
    case 'f':
      return scan::ScanWord(begin, end, "false", JsonKind::kBool, token);
    default:
      return nullptr;
  }
}

namespace scan {

/// Reads a positive integer of up to 16 digits without a zero in front; `terminator`, no digit,
/// must be behind it. 17 bytes can be read. nullptr says nothing.
inline const char* ScanLikelyInteger(const char* begin, char terminator, JsonToken& token) {
#ifdef __SSE2__
  const char* const p = begin + std::countr_zero(NotDigitsIn(begin) | 0x10000U);
  if (*p == terminator && static_cast<uint8_t>(*begin - '1') <= 8) {
    Set(token, {begin, static_cast<size_t>(p - begin)}, JsonKind::kNumber, true);
    return p;
  }
#endif
  return nullptr;
}

/// Reads a string of less than 16 bytes without escapes. 17 bytes can be read. nullptr says
/// nothing.
inline const char* ScanLikelyString(const char* begin, JsonToken& token) {
#ifdef __SSE2__
  const char* const text = begin + 1;
  const char* const p = text + std::countr_zero(SpecialsIn(text) | 0x10000U);
  if (*begin == '"' && p < text + kBlockBytes && *p == '"') {
    Set(token, {text, static_cast<size_t>(p - text)}, JsonKind::kString, true);
    return p + 1;
  }
#endif
  return nullptr;
}

}  // namespace scan

}  // namespace caracal::pipeline
