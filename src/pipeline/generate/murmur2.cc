#include "pipeline/generate/murmur2.h"

#include <cstddef>

namespace caracal::pipeline {
namespace {

constexpr uint32_t kSeed = 0x9747B28C;
constexpr uint32_t kMultiplier = 0x5BD1E995;
constexpr int kShift = 24;

uint32_t ByteAt(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

}  // namespace

uint32_t Murmur2(std::string_view bytes) {
  uint32_t hash = kSeed ^ static_cast<uint32_t>(bytes.size());
  size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    uint32_t word = ByteAt(bytes, i) | ByteAt(bytes, i + 1) << 8 | ByteAt(bytes, i + 2) << 16 |
                    ByteAt(bytes, i + 3) << 24;
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = hash * kMultiplier ^ word;
  }
  if (i < bytes.size()) {
    for (size_t k = bytes.size(); k > i; --k) hash ^= ByteAt(bytes, k - 1) << (8 * (k - 1 - i));
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ hash >> 15;
}

}  // namespace caracal::pipeline
