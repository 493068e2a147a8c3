#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace caracal::pipeline {

/// Bytes compared at once, whatever the processor: the compiler splits or joins them.
using ByteVector = uint8_t __attribute__((vector_size(16)));
inline constexpr uint32_t kVectorBytes = sizeof(ByteVector);

/// What sixteen bytes may be: each at least its low bound, and at most its span above that. A span
/// of 255 allows anything.
struct ByteRange {
  ByteVector low;
  ByteVector span;
};

/// Bounds of bytes of texts: all of ASCII but control characters, space, '!' and '"'. The backslash
/// is among it, and is looked for besides.
inline constexpr char kTextLow = '#';
inline constexpr uint8_t kTextSpan = 0x7F - kTextLow;

/// Not zero in the bytes that are outside of `range`, nor, with `texts`, in backslashes of texts.
template <bool texts>
inline ByteVector Outside(const char* bytes, const ByteRange& range) {
  ByteVector text;
  std::memcpy(&text, bytes, sizeof(text));
  const ByteVector above = text - range.low;
#ifdef __SSE2__
  // What is left of it above the span, at least 0: one instruction.
  const auto outside = reinterpret_cast<ByteVector>(
      _mm_subs_epu8(reinterpret_cast<__m128i>(above), reinterpret_cast<__m128i>(range.span)));
#else
  const ByteVector outside = (above > range.span ? above : range.span) ^ range.span;
#endif
  if constexpr (!texts) return outside;
  const ByteVector backslashes = ByteVector{} + static_cast<uint8_t>('\\');
  const ByteVector text_spans = ByteVector{} + kTextSpan;
  const auto escapes = (text == backslashes) & (range.span == text_spans);
  return outside | reinterpret_cast<ByteVector>(escapes);
}

inline bool IsZero(ByteVector bytes) {
#ifdef __SSE2__
  const auto block = reinterpret_cast<__m128i>(bytes);
  return _mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_setzero_si128())) == 0xFFFF;
#else
  uint64_t words[2];
  std::memcpy(words, &bytes, sizeof(words));
  return (words[0] | words[1]) == 0;
#endif
}

/// The `size` bytes at `p`, at least sixteen, are within their ranges: one for each sixteen, and
/// one for the last sixteen, which overlaps the one before.
template <bool texts>
[[gnu::always_inline]] inline bool AreWithin(const ByteRange* ranges, const char* p, size_t size) {
  const auto outside_at = [&](size_t i, size_t block) {
    // A range takes twice the bytes that it is for.
    const char* const range = reinterpret_cast<const char*>(ranges) + 2 * i;
    return Outside<texts>(p + i + block * kVectorBytes,
                          reinterpret_cast<const ByteRange*>(range)[block]);
  };
  ByteVector outside = {};
  const size_t last = size - kVectorBytes;
  size_t i = 0;
  for (; i + 3 * kVectorBytes < last; i += 4 * kVectorBytes) {
    outside |= (outside_at(i, 0) | outside_at(i, 1)) | (outside_at(i, 2) | outside_at(i, 3));
  }
  for (; i < last; i += kVectorBytes) outside |= outside_at(i, 0);
  const char* const range = reinterpret_cast<const char*>(ranges) + 2 * i;
  return IsZero(outside | Outside<texts>(p + last, *reinterpret_cast<const ByteRange*>(range)));
}

/// The same of less than sixteen bytes, with one range whose other spans are 255.
template <bool texts>
inline bool AreFewWithin(const ByteRange& range, const char* p, size_t size) {
  char padded[kVectorBytes] = {};
  std::memcpy(padded, p, size);
  return IsZero(Outside<texts>(padded, range));
}

}  // namespace caracal::pipeline
