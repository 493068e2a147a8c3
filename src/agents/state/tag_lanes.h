#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace caracal::agents {

/// A cache line of seven entries, each a 32-bit tag and a 32-bit value, and one number about the
/// line: what TagIndex probes. All lanes are compared with a tag at once. Plain data,
/// zero when new.
struct alignas(64) TagLine {
  static constexpr size_t kLanes = 7;

  std::array<uint32_t, kLanes> tags;
  uint32_t passed;  ///< about the entries that found no lane here and went on
  std::array<uint32_t, kLanes> values;
  uint32_t unused;

  /// A bit per lane whose tag is `tag`.
  uint32_t LanesWith(uint32_t tag) const {
#if defined(__SSE2__)
    const auto* words = reinterpret_cast<const __m128i*>(this);
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
    const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(words), wanted);
    const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(words + 1), wanted);
    const __m128i lanes = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
    return static_cast<uint32_t>(_mm_movemask_epi8(lanes)) & ((1U << kLanes) - 1);
#else
    uint32_t lanes = 0;
    for (size_t i = 0; i < kLanes; ++i) lanes |= static_cast<uint32_t>(tags[i] == tag) << i;
    return lanes;
#endif
  }
};
static_assert(sizeof(TagLine) == 64);

/// The tag of a well mixed hash: its upper half, never 0 (the tag of a free lane).
inline uint32_t TagOf(uint64_t hash) {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  return tag == 0 ? 1 : tag;
}

/// The line of `line_count` where `tag` is looked up first.
inline size_t HomeLineOf(uint32_t tag, size_t line_count) {
  return (uint64_t{tag} * line_count) >> 32;
}

}  // namespace caracal::agents
