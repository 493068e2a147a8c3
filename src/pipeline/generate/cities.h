#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "agents/api/transaction.h"

namespace caracal::pipeline {

/// A place where people live and shops cluster.
struct City {
  std::string_view name;
  std::string_view country;  ///< ISO 3166-1 alpha-2
  agents::Location centre;
};

/// Forty real cities, the busiest first. Any two are more than 150 km apart, and each has at least
/// twenty others beyond kAbroadKm.
std::span<const City> Cities();

inline constexpr size_t kCityCount = 40;

/// The distance from which a journey counts as far.
inline constexpr int kAbroadKm = 1500;

/// Great-circle distance of two city centres, rounded up to whole kilometres.
int CityDistanceKm(size_t from, size_t to);

/// The point `east_m`, `north_m` metres from the centre of `city`; for distances of some
/// kilometres.
agents::Location PointNear(size_t city, int east_m, int north_m);

}  // namespace caracal::pipeline
