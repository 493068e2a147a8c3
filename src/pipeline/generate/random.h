#pragma once

#include <array>
#include <cstdint>

namespace caracal::pipeline {

/// Scrambles 64 bits into 64 bits: the finaliser of SplitMix64 (Steele, Lea, Flood 2014). A
/// bijection; used to derive fixed properties ("home city of account 7") from a number.
constexpr uint64_t Mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// Maps 64 uniform bits onto [0, bound) without a division.
constexpr uint64_t ScaleTo(uint64_t bits, uint64_t bound) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * bound) >> 64);
}

/// A share in [0, 1] as the bound that uniform 64-bit numbers stay below with that probability.
constexpr uint64_t ShareThreshold(double share) {
  if (share <= 0) return 0;
  if (share >= 1) return UINT64_MAX;
  return static_cast<uint64_t>(share * 18446744073709551616.0);
}

/// Draws pseudo-random numbers: xoshiro256++ (Blackman, Vigna 2019), seeded by SplitMix64. The same
/// seed gives the same numbers on every host and compiler, which <random>'s distributions do not
/// promise. Not for secrets. One thread at a time.
class Random {
 public:
  explicit Random(uint64_t seed) {
    // Scattered first: neighbouring seeds must not share words of the state.
    uint64_t counter = Mix64(seed);
    for (uint64_t& word : state_) word = Mix64(counter++);
  }

  uint64_t Next() {
    const uint64_t result = RotateLeft(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = RotateLeft(state_[3], 45);
    return result;
  }
  /// Uniform in [0, bound); bound > 0. The bias is below bound / 2^64.
  uint64_t Below(uint64_t bound) { return ScaleTo(Next(), bound); }
  /// Uniform in [low, high], both included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }
  /// True with the probability that ShareThreshold turned into `threshold`.
  bool Chance(uint64_t threshold) { return Next() < threshold; }

 private:
  static constexpr uint64_t RotateLeft(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
  }

  std::array<uint64_t, 4> state_;
};

}  // namespace caracal::pipeline
