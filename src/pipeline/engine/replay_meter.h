#pragma once

#include <cstdint>

namespace caracal::pipeline {

/// Measures how fast this process replays. Ingest thread only.
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
