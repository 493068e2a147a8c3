#include "pipeline/generate/merchant_directory.h"

#include "agents/api/check.h"
#include "pipeline/generate/cities.h"

namespace caracal::pipeline {
namespace {

/// Half the side of the square of shops: its corner is 11.4 km from the centre.
constexpr int kHalfSideMetres = 8000;

// Zipf weights of exponent 1 of the merchants of one city.
std::vector<double> CityWeights(uint32_t merchants, size_t city) {
  std::vector<double> weights;
  for (size_t rank = city + 1; rank <= merchants; rank += kCityCount) {
    weights.push_back(1.0 / static_cast<double>(rank));
  }
  return weights;
}

std::vector<double> TotalWeights(uint32_t merchants) {
  std::vector<double> totals;
  for (size_t city = 0; city < kCityCount; ++city) {
    double total = 0;
    for (const double weight : CityWeights(merchants, city)) total += weight;
    totals.push_back(total);
  }
  return totals;
}

}  // namespace

MerchantDirectory::MerchantDirectory(uint32_t merchants, uint64_t seed)
    : cities_(TotalWeights(merchants)) {
  CHECK(merchants >= kCityCount);
  locations_.reserve(merchants);
  for (uint32_t i = 0; i < merchants; ++i) {
    Random random(Mix64(seed ^ Mix64(i)));
    const auto east = static_cast<int>(random.Between(-kHalfSideMetres, kHalfSideMetres));
    const auto north = static_cast<int>(random.Between(-kHalfSideMetres, kHalfSideMetres));
    locations_.push_back(PointNear(i % kCityCount, east, north));
  }
  for (size_t city = 0; city < kCityCount; ++city) {
    merchants_of_city_.emplace_back(CityWeights(merchants, city));
  }
}

std::string_view MerchantDirectory::country(uint32_t merchant) const {
  return Cities()[(merchant - 1) % kCityCount].country;
}

uint32_t MerchantDirectory::SampleMerchant(size_t city, Random& random) const {
  const uint32_t nth = merchants_of_city_[city].Sample(random);
  return static_cast<uint32_t>(city + nth * kCityCount) + 1;
}

}  // namespace caracal::pipeline
