#pragma once

#include <cmath>

#include "agents/api/transaction.h"

namespace caracal::pipeline {

/// Great-circle distance in kilometres on a sphere of 6371.0088 km, by the angle between unit
/// vectors: another formula than the generator's.
inline double GreatCircleKm(const agents::Location& a, const agents::Location& b) {
  const auto vector = [](const agents::Location& at) {
    const double latitude = at.latitude_udeg * 1e-6 * M_PI / 180;
    const double longitude = at.longitude_udeg * 1e-6 * M_PI / 180;
    struct {
      double x, y, z;
    } v{std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude),
        std::sin(latitude)};
    return v;
  };
  const auto u = vector(a);
  const auto v = vector(b);
  const double cross =
      std::hypot(u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x);
  const double dot = u.x * v.x + u.y * v.y + u.z * v.z;
  return 6371.0088 * std::atan2(cross, dot);
}

}  // namespace caracal::pipeline
