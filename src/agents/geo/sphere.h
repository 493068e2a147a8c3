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

/// `longitude_udeg` brought into [-180e6, 180e6) by whole turns; |argument| < 540e6.
int64_t WrapLongitude(int64_t longitude_udeg);

}  // namespace caracal::agents
