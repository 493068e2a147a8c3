#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

/// Random event times for property tests: the hard cases (out of order, equal, exactly one window
/// apart) are frequent, and Shares proves it.
namespace caracal::agents::testing {

/// A seeded source of integers, the same on every host.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t Next() { return engine_(); }
  /// In [0, bound); bound > 0. The bias is irrelevant here.
  int64_t Below(int64_t bound) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(bound));
  }
  /// In [low, high].
  int64_t Between(int64_t low, int64_t high) { return low + Below(high - low + 1); }
  bool Percent(int64_t percent) { return Below(100) < percent; }
  template <typename T>
  const T& Pick(const std::vector<T>& values) {
    return values[static_cast<size_t>(Below(static_cast<int64_t>(values.size())))];
  }

 private:
  std::mt19937_64 engine_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // gcc
#define CARACAL_TEST_SANITIZED
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CARACAL_TEST_SANITIZED
#endif
#endif

#ifdef CARACAL_TEST_SANITIZED
inline constexpr int64_t kDefaultHistories = 2'000;
#else
inline constexpr int64_t kDefaultHistories = 100'000;
#endif

/// Histories a property test runs: CARACAL_PROPERTY_HISTORIES, by default 100,000, or 2,000 in a
/// sanitizer build.
inline int64_t PropertyHistories() {
  const char* text = std::getenv("CARACAL_PROPERTY_HISTORIES");
  return text == nullptr ? kDefaultHistories : std::max<int64_t>(1, std::atoll(text));
}

/// The first seed of a property test: CARACAL_PROPERTY_SEED, by default 1. History i has seed + i.
inline uint64_t PropertySeed() {
  const char* text = std::getenv("CARACAL_PROPERTY_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

/// Events of one history: 1 to 2,000, nine of ten histories below 21.
inline size_t HistoryLength(Random& random) {
  const int64_t kind = random.Below(1000);
  if (kind < 900) return static_cast<size_t>(random.Between(1, 20));
  if (kind < 996) return static_cast<size_t>(random.Between(21, 200));
  return static_cast<size_t>(random.Between(201, 2000));
}

/// How much of what a property test has seen was hard.
struct Shares {
  int64_t events = 0;
  int64_t out_of_order = 0;  ///< older than an event before
  int64_t duplicates = 0;    ///< the time of an event before again
  int64_t on_boundary = 0;   ///< exactly one window from an event before

  void Count(const std::vector<int64_t>& times, int64_t window_us) {
    std::unordered_set<int64_t> seen;
    int64_t newest = 0;
    for (const int64_t time : times) {
      ++events;
      out_of_order += !seen.empty() && time < newest ? 1 : 0;
      duplicates += seen.contains(time) ? 1 : 0;
      on_boundary += seen.contains(time - window_us) || seen.contains(time + window_us) ? 1 : 0;
      newest = seen.empty() ? time : std::max(newest, time);
      seen.insert(time);
    }
  }
};

/// `length` event times around windows of `window_us`, as an upstream with several writers, retries
/// and replays could produce them.
inline std::vector<int64_t> HistoryTimes(Random& random, size_t length, int64_t window_us) {
  static const std::vector<int64_t> kStarts = {0,
                                               -5'000'000'000,
                                               (int64_t{1} << 32),
                                               -1,
                                               1'772'620'927'512'000,
                                               (int64_t{1} << 31),
                                               1'000'000'000};
  // A short step lets many events share a window, a long one few.
  const int64_t step = std::max<int64_t>(1, window_us / random.Pick<int64_t>({1, 3, 10, 50}));
  int64_t newest = random.Pick(kStarts) - random.Between(0, std::min<int64_t>(window_us, 1000));
  std::vector<int64_t> times;
  for (size_t i = 0; i < length; ++i) {
    const int64_t earlier = times.empty() ? newest : random.Pick(times);
    const int64_t kind = random.Below(100);
    int64_t time = newest;
    if (kind < 15) {
      time = earlier;
    } else if (kind < 25) {
      time = newest - window_us;
    } else if (kind < 32) {
      time = earlier + window_us;
    } else if (kind < 36) {
      time = newest - window_us + (random.Percent(50) ? 1 : -1);
    } else if (kind < 58) {
      time = newest - random.Between(1, window_us + window_us / 2 + 1);
    } else if (kind < 60) {
      time = newest + random.Between(1, 3 * window_us);
    } else {
      time = newest + random.Between(0, step);
    }
    times.push_back(time);
    newest = std::max(newest, time);
  }
  return times;
}

/// Names a history in a failure message.
inline std::string SeedTrace(uint64_t seed) {
  return "CARACAL_PROPERTY_SEED=" + std::to_string(seed) + " CARACAL_PROPERTY_HISTORIES=1";
}

}  // namespace caracal::agents::testing
