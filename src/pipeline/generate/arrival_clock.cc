#include "pipeline/generate/arrival_clock.h"

#include <array>
#include <cstddef>

namespace caracal::pipeline {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;
constexpr int64_t kMinutesPerHour = 60;
constexpr size_t kHoursPerDay = 24;

/// Card payments by hour of the day in thousandths of the mean: a trough before dawn, a lunch peak
/// and a higher one after work.
constexpr std::array<int64_t, kHoursPerDay> kHourlyPermille = {
    353,  222,  161,  141,  182,  323,  555,  857,  1109, 1261, 1361, 1513,
    1664, 1513, 1412, 1412, 1513, 1714, 1762, 1563, 1261, 958,  706,  484};

}  // namespace

int64_t DiurnalPermille(int64_t time_us) {
  const int64_t minute = time_us / kMinuteUs;
  const auto hour = static_cast<size_t>(minute / kMinutesPerHour) % kHoursPerDay;
  const int64_t from = kHourlyPermille[hour];
  const int64_t to = kHourlyPermille[(hour + 1) % kHoursPerDay];
  return from + (to - from) * (minute % kMinutesPerHour) / kMinutesPerHour;
}

ArrivalClock::ArrivalClock(double rate, int64_t start_us, bool diurnal)
    : rate_(rate), diurnal_(diurnal), next_us_(start_us), step_until_us_(start_us) {}

void ArrivalClock::UpdateStep() {
  double rate = rate_;
  step_until_us_ = INT64_MAX;
  if (diurnal_) {
    rate = rate_ * static_cast<double>(DiurnalPermille(next_us_)) / 1000;
    step_until_us_ = (next_us_ / kMinuteUs + 1) * kMinuteUs;
  }
  const double step = 1e6 / rate;
  step_us_ = static_cast<int64_t>(step);
  step_fraction_ = static_cast<uint32_t>((step - static_cast<double>(step_us_)) * 4294967296.0);
}

}  // namespace caracal::pipeline
