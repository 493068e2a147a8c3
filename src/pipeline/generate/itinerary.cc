#include "pipeline/generate/itinerary.h"

#include "pipeline/generate/random.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kDayUs = 24 * kHourUs;
constexpr int64_t kPeriodUs = 10 * kDayUs;
constexpr int64_t kShortestStayUs = kDayUs;
constexpr int64_t kLongestStayUs = 4 * kDayUs;
constexpr int64_t kCruiseKmPerHour = 700;
constexpr int64_t kDetourKm = 50;
constexpr uint64_t kTravellers = ShareThreshold(0.3);

}  // namespace

Itinerary::Itinerary(const MerchantDirectory& merchants) : merchants_(merchants) {
  for (size_t from = 0; from < kCityCount; ++from) {
    for (size_t to = 0; to < kCityCount; ++to) {
      const int64_t way_km = CityDistanceKm(from, to) + kDetourKm;
      transit_us_[from][to] = kHourUs + way_km * kHourUs / kCruiseKmPerHour;
    }
  }
}

Whereabouts Itinerary::At(uint64_t account_hash, size_t home, int64_t now_us) const {
  // Each account's periods begin at another time, so that they do not all leave at once.
  const auto phase = static_cast<int64_t>(ScaleTo(account_hash, kPeriodUs));
  const int64_t period = (now_us + phase) / kPeriodUs;
  const int64_t begin_us = period * kPeriodUs - phase;
  const int64_t end_us = begin_us + kPeriodUs;
  const uint64_t plan = Mix64(account_hash ^ Mix64(static_cast<uint64_t>(period)));
  if (plan >= kTravellers) return {home, false, end_us};

  size_t away = merchants_.PickCity(Mix64(plan));
  if (away == home) away = (away + 1) % kCityCount;
  const int64_t transit_us = transit_us_[home][away];
  const auto stay_us = kShortestStayUs + static_cast<int64_t>(ScaleTo(
                                             Mix64(plan + 1), kLongestStayUs - kShortestStayUs));
  const int64_t spare_us = kPeriodUs - stay_us - 2 * transit_us;
  const int64_t leave_us =
      begin_us + static_cast<int64_t>(ScaleTo(Mix64(plan + 2), static_cast<uint64_t>(spare_us)));
  const int64_t arrive_us = leave_us + transit_us;
  const int64_t return_us = arrive_us + stay_us;
  const int64_t home_us = return_us + transit_us;
  if (now_us < leave_us) return {home, false, leave_us};
  if (now_us < arrive_us) return {away, true, arrive_us};
  if (now_us < return_us) return {away, false, return_us};
  if (now_us < home_us) return {home, true, home_us};
  return {home, false, end_us};
}

}  // namespace caracal::pipeline
