#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pipeline/generate/cities.h"
#include "pipeline/generate/merchant_directory.h"

namespace caracal::pipeline {

/// Where an account holder is.
struct Whereabouts {
  size_t city = 0;
  /// Between two cities, and not shopping.
  bool in_transit = false;
  /// The answer holds for times before this one, in microseconds.
  int64_t until_us = 0;
};

/// Plans the journeys of account holders as a pure function of account and time: in each period of
/// ten days about 30 % of them visit another city for one to four days.
///
/// A journey takes (distance + 50 km) / 700 km/h + 1 h, and nobody shops on the way. As shops lie
/// within 12 km of a city's centre, two payments in different cities are always slower than 700
/// km/h, in whatever order they arrive, and two in the same city are closer than 25 km: normal
/// traffic never looks like impossible travel. Immutable; any thread.
class Itinerary {
 public:
  /// `merchants` decides how popular destinations are. Not owned; must outlive the itinerary.
  explicit Itinerary(const MerchantDirectory& merchants);

  /// `account_hash`: 64 bits fixed for the account. now_us >= 0.
  Whereabouts At(uint64_t account_hash, size_t home, int64_t now_us) const;

 private:
  const MerchantDirectory& merchants_;
  std::array<std::array<int64_t, kCityCount>, kCityCount> transit_us_;
};

}  // namespace caracal::pipeline
