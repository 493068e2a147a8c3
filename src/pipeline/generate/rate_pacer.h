#pragma once

#include <cstdint>

namespace caracal::pipeline {

/// Decides how many records are due: an open-loop schedule of one record every 1 / rate, from a
/// start time, whatever happened before. Who falls behind is told to catch up, so that the load
/// does not slow down with the system it measures. Pure arithmetic; one thread at a time.
class RatePacer {
 public:
  /// rate: records per second, > 0. start_us: monotonic microseconds.
  RatePacer(double rate, int64_t start_us) : rate_(rate), start_us_(start_us) {}

  /// Records that should have been sent by `now_us` and were not. The first is due at the start.
  uint64_t Due(int64_t now_us) const {
    const uint64_t scheduled = Scheduled(now_us);
    return scheduled > sent_ ? scheduled - sent_ : 0;
  }
  void Sent(uint64_t records) { sent_ += records; }
  /// When the next record is due, monotonic microseconds.
  int64_t NextDueUs() const {
    return start_us_ + static_cast<int64_t>(static_cast<double>(sent_) * 1e6 / rate_) + 1;
  }

 private:
  uint64_t Scheduled(int64_t now_us) const {
    if (now_us < start_us_) return 0;
    return static_cast<uint64_t>(static_cast<double>(now_us - start_us_) * rate_ / 1e6) + 1;
  }

  const double rate_;
  const int64_t start_us_;
  uint64_t sent_ = 0;
};

}  // namespace caracal::pipeline
