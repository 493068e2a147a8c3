#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agents/api/transaction.h"
#include "pipeline/generate/random.h"
#include "pipeline/generate/weighted_sampler.h"

namespace caracal::pipeline {

/// Holds the shops of the `cards` profile: merchant m (from 1) has popularity rank m in a Zipf
/// distribution of exponent 1 and a fixed place within kPlaceRadiusKm of the centre of city
/// (m - 1) mod 40. Immutable after construction; any thread. About 20 bytes per merchant.
class MerchantDirectory {
 public:
  /// merchants in [kCityCount, 10^7].
  MerchantDirectory(uint32_t merchants, uint64_t seed);

  uint32_t size() const { return static_cast<uint32_t>(locations_.size()); }
  const agents::Location& location(uint32_t merchant) const { return locations_[merchant - 1]; }
  std::string_view country(uint32_t merchant) const;

  /// A city with the probability that its merchants have together.
  size_t PickCity(uint64_t bits) const { return cities_.Pick(bits); }
  /// A merchant of `city` with its share of that city's business.
  uint32_t SampleMerchant(size_t city, Random& random) const;

 private:
  std::vector<agents::Location> locations_;
  WeightedSampler cities_;
  std::vector<WeightedSampler> merchants_of_city_;
};

/// No shop is farther from its city's centre.
inline constexpr int kPlaceRadiusKm = 12;

}  // namespace caracal::pipeline
