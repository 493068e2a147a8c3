#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace caracal::agents {

/// A cache line of ten rows, each a 16-bit part of its tag's hash and its 32-bit sequence number:
/// what RowFilter probes. All lanes are compared at once. Plain data, zero when new.
///
/// Ten lanes for five rows on average: of lines that hold seven, as TagLine does, at that load a
/// look-up visits 3.9 on average once the filter is full, of these 1.08 (measured with uniform
/// tags); every line but the first is a cache miss that nobody has announced.
struct alignas(64) RowLine {
  static constexpr size_t kLanes = 10;

  std::array<uint32_t, kLanes> sequences;
  std::array<uint16_t, kLanes> tags;  ///< 0 = the lane was never used
  uint32_t passed;  ///< number of the newest row that found no lane here and went on

  /// A bit per lane whose tag is `tag`.
  uint32_t LanesWith(uint16_t tag) const {
#if defined(__SSE2__)
    // Two loads that overlap: tags 0 to 7 and 2 to 9.
    constexpr int kBegin = 2;
    const __m128i wanted = _mm_set1_epi16(static_cast<int16_t>(tag));
    const auto equal = [&](size_t first) {
      return _mm_cmpeq_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(tags.data() + first)),
                             wanted);
    };
    const auto lanes =
        static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(equal(0), equal(kBegin))));
    return (lanes & 0xFFU) | (lanes >> 8U) << kBegin;
#else
    uint32_t lanes = 0;
    for (size_t i = 0; i < kLanes; ++i) lanes |= static_cast<uint32_t>(tags[i] == tag) << i;
    return lanes;
#endif
  }

  /// A bit per lane that was used and whose sequence number is one of the `count` numbers below
  /// `end`; numbers wrap around.
  uint32_t LanesWithSequencesBelow(uint32_t end, uint32_t count) const {
#if defined(__SSE2__)
    const auto* words = reinterpret_cast<const __m128i*>(this);
    const __m128i last = _mm_set1_epi32(static_cast<int>(end - 1));
    // SSE2 compares signed numbers only.
    const __m128i sign = _mm_set1_epi32(INT32_MIN);
    const __m128i limit = _mm_xor_si128(_mm_set1_epi32(static_cast<int>(count)), sign);
    const auto within = [&](size_t word) {  // four lanes; the third word has two
      const __m128i behind = _mm_sub_epi32(last, _mm_load_si128(words + word));
      return _mm_cmpgt_epi32(limit, _mm_xor_si128(behind, sign));
    };
    const __m128i low = _mm_packs_epi32(within(0), within(1));
    const __m128i high = _mm_packs_epi32(within(2), _mm_setzero_si128());
    const auto lanes = static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
    return lanes & ((1U << kLanes) - 1) & ~LanesWith(0);
#else
    uint32_t lanes = 0;
    for (size_t i = 0; i < kLanes; ++i) {
      lanes |= static_cast<uint32_t>(tags[i] != 0 && end - 1 - sequences[i] < count) << i;
    }
    return lanes;
#endif
  }
};
static_assert(sizeof(RowLine) == 64 && offsetof(RowLine, sequences) == 0);

}  // namespace caracal::agents
