#pragma once

#include <cstdint>

#include "agents/api/transaction.h"

namespace caracal::agents {

/// Great-circle distance of two points in kilometres on a sphere of radius 6371.0088 km (the mean
/// radius of the earth, IUGG), by the haversine formula.
///
/// Angles are reduced exactly in integer micro-degrees and everything after that is IEEE + - x /
/// and sqrt with polynomials of our own: every host and compiler gets the same bits. Against the
/// formula in exact arithmetic the error is below 1e-12 relative, or below 1 m where that is more
/// (within some kilometres of the antipode, where the formula is ill-conditioned). Against the
/// ellipsoid the sphere is off by up to 0.6 %.
double DistanceKm(const Location& a, const Location& b);

/// At least DistanceKm(a, b), for a fraction of its cost: the way along the meridian and then along
/// the equator, which is no shorter than along any parallel, and a metre for rounding.
inline double DistanceBoundKm(const Location& a, const Location& b) {
  constexpr int64_t kHalfTurn = 180'000'000;
  constexpr double kKmPerMicroDegree = 6371.0088 * 3.14159265358979324 / 180e6;
  constexpr double kRoundingKm = 0.001;
  const auto apart = [](int64_t one, int64_t other) {
    return one > other ? one - other : other - one;
  };
  const int64_t east = apart(a.longitude_udeg, b.longitude_udeg);
  const int64_t way =
      apart(a.latitude_udeg, b.latitude_udeg) + (east > kHalfTurn ? 2 * kHalfTurn - east : east);
  return static_cast<double>(way) * (kKmPerMicroDegree * (1 + 1e-9)) + kRoundingKm;
}

/// `longitude_udeg` brought into [-180e6, 180e6) by whole turns; |argument| < 540e6.
int64_t WrapLongitude(int64_t longitude_udeg);

}  // namespace caracal::agents
