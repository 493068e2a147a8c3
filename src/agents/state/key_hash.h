#pragma once

#include <cstdint>
#include <string_view>

namespace caracal::agents {

/// 128-bit seeded hash of a key's canonical text. The same on every host and build: state and
/// routing depend on it. `low` picks the bucket, `high` the place in the bucket's table; both
/// together stand for keys too long to be stored inline.
struct KeyHash {
  uint64_t low = 0;
  uint64_t high = 0;

  friend bool operator==(const KeyHash&, const KeyHash&) = default;
};

/// XXH3-128 of `key` with `seed`.
KeyHash HashKey(std::string_view key, uint64_t seed);

/// The bucket of a key: unbiased enough for any bucket count up to 2^16.
inline uint32_t BucketOf(const KeyHash& hash, uint32_t buckets) {
  return static_cast<uint32_t>(((hash.low >> 32) * buckets) >> 32);
}

}  // namespace caracal::agents
