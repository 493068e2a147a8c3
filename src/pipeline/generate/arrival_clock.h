#pragma once

#include <cstdint>

namespace caracal::pipeline {

/// Paces event time: says when the next row arrives. Steps are 1 / rate, exact to 2^-32 µs and
/// without drift; with `diurnal` the rate follows the hour of the day (UTC) and `rate` is its
/// daily mean. In real time the caller sets the time instead. One thread at a time.
class ArrivalClock {
 public:
  /// rate: arrivals per second of event time, in [10^-3, 10^7]. start_us: microseconds since 1970.
  ArrivalClock(double rate, int64_t start_us, bool diurnal);

  /// When the next row arrives, in microseconds since 1970.
  int64_t next_us() const { return next_us_; }
  /// The next row has arrived.
  void Advance() {
    if (next_us_ >= step_until_us_) UpdateStep();
    const uint64_t fraction = uint64_t{fraction_} + step_fraction_;
    fraction_ = static_cast<uint32_t>(fraction);
    next_us_ += step_us_ + static_cast<int64_t>(fraction >> 32);
  }
  /// No row arrives before `time_us`.
  void SkipTo(int64_t time_us) {
    if (time_us > next_us_) next_us_ = time_us;
  }

  /// The busiest hour's rate over the daily mean.
  static constexpr double kPeak = 1.762;

 private:
  void UpdateStep();

  const double rate_;
  const bool diurnal_;
  int64_t next_us_;
  uint32_t fraction_ = 0;
  int64_t step_us_ = 0;
  uint32_t step_fraction_ = 0;
  int64_t step_until_us_;
};

/// The rate at a time of day over the daily mean, in thousandths; its mean over a day is 1000.
int64_t DiurnalPermille(int64_t time_us);

}  // namespace caracal::pipeline
