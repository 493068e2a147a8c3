#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace caracal::pipeline {

/// The seed of a random test: CARACAL_TEST_SEED, else a fixed one.
inline uint64_t TestSeed() {
  const char* const text = std::getenv("CARACAL_TEST_SEED");
  return text == nullptr ? 20260105 : std::strtoull(text, nullptr, 10);
}

/// For SCOPED_TRACE: how to repeat a failure.
inline std::string SeedTrace(uint64_t seed) { return "CARACAL_TEST_SEED=" + std::to_string(seed); }

}  // namespace caracal::pipeline
