#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace caracal::pipeline {

/// Measures how fast this process replays, or catches up, which is the same work and more. Ingest
/// thread only.
class ReplayMeter {
 public:
  /// Below this much measured time there is no rate: a short replay says little.
  static constexpr int64_t kLeastMicros = 500'000;
  /// What is older counts half.
  static constexpr int64_t kHalfMicros = 10'000'000;

  /// `records` were replayed within `micros`, all of which was spent on replaying.
  void Add(int64_t records, int64_t micros) {
    if (micros <= 0) return;
    records_ += records;
    micros_ += micros;
    if (micros_ < 2 * kHalfMicros) return;
    records_ /= 2;
    micros_ /= 2;
  }
  /// Records that can be replayed within `time` at that rate, at least one.
  static int64_t Within(absl::Duration time, int64_t rate) {
    return std::max<int64_t>(
        1, static_cast<int64_t>(absl::ToDoubleSeconds(time) * static_cast<double>(rate)));
  }
  /// Records per second; 0 = not known yet.
  int64_t rate() const {
    return micros_ < kLeastMicros ? 0
                                  : static_cast<int64_t>(static_cast<double>(records_) * 1e6 /
                                                         static_cast<double>(micros_));
  }

 private:
  int64_t records_ = 0;
  int64_t micros_ = 0;
};

}  // namespace caracal::pipeline
