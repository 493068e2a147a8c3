#include "agents/geo/sphere.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>

namespace caracal::agents {
namespace {

constexpr double kEarthRadiusKm = 6371.0088;
constexpr double kHalfPi = 1.57079632679489661923;
constexpr double kRadiansPerMicroDegree = kHalfPi / 90e6;

constexpr int64_t kDegree = 1'000'000;

// Horner's rule, unrolled.
template <size_t kFirst = 0, size_t kCount>
double Polynomial(const std::array<double, kCount>& coefficients, double x) {
  if constexpr (kFirst + 1 == kCount) {
    return coefficients[kFirst];
  } else {
    return coefficients[kFirst] + x * Polynomial<kFirst + 1>(coefficients, x);
  }
}

// Taylor in x^2; for |x| <= pi/4 the first term left out is below 5e-17.
double Sine(double x) {
  constexpr std::array<double, 8> kTerms = {
      1.0,          -1.0 / 6,        1.0 / 120,          -1.0 / 5040,
      1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800.0, -1.0 / 1307674368000.0};
  return x * Polynomial(kTerms, x * x);
}

// Taylor in x^2; for |x| <= pi/4 the first term left out is below 3e-18.
double Cosine(double x) {
  constexpr std::array<double, 9> kTerms = {1.0,
                                            -1.0 / 2,
                                            1.0 / 24,
                                            -1.0 / 720,
                                            1.0 / 40320,
                                            -1.0 / 3628800,
                                            1.0 / 479001600,
                                            -1.0 / 87178291200.0,
                                            1.0 / 20922789888000.0};
  return Polynomial(kTerms, x * x);
}

// sin(angle / 2) for angle in [0, 180] degrees.
double SineOfHalf(int64_t angle_udeg) {
  if (angle_udeg <= 90 * kDegree) {
    return Sine(static_cast<double>(angle_udeg) * (kRadiansPerMicroDegree / 2));
  }
  return Cosine(static_cast<double>(180 * kDegree - angle_udeg) * (kRadiansPerMicroDegree / 2));
}

// cos(latitude) for latitude in [-90, 90] degrees.
double CosineOfLatitude(int64_t latitude_udeg) {
  const int64_t angle = std::abs(latitude_udeg);
  if (angle <= 45 * kDegree) return Cosine(static_cast<double>(angle) * kRadiansPerMicroDegree);
  return Sine(static_cast<double>(90 * kDegree - angle) * kRadiansPerMicroDegree);
}

// asin(sqrt(t)) for t in [0, 1/4]. The coefficients are of the polynomial through (asin(s)/s -
// 1)/t, t = s^2, at the Chebyshev nodes, computed with 60 digits; relative error of the whole
// 4e-17. Summed in pairs: the terms do not wait for each other.
double ArcSineOfRoot(double t) {
  constexpr std::array<double, 12> kC = {
      0.1666666666666665,    0.07500000000020764,  0.044642857103423646,  0.03038194736709848,
      0.02237204763174451,   0.017355259955786323, 0.013929652902326633,  0.011875494382636922,
      0.0078029494773533175, 0.01603551434914882,  -0.010749050339697808, 0.028169218060881414};
  const double s = std::sqrt(t);
  const double t2 = t * t;
  const double t4 = t2 * t2;
  const double low = (kC[0] + kC[1] * t) + (kC[2] + kC[3] * t) * t2;
  const double middle = (kC[4] + kC[5] * t) + (kC[6] + kC[7] * t) * t2;
  const double high = (kC[8] + kC[9] * t) + (kC[10] + kC[11] * t) * t2;
  return s + s * (t * (low + (middle + high * t4) * t4));
}

// asin(sqrt(h)) for h in [0, 1].
double CentralHalfAngle(double h) {
  if (h <= 0.25) return ArcSineOfRoot(h);
  return kHalfPi - 2 * ArcSineOfRoot((1 - std::sqrt(h)) / 2);
}

}  // namespace

double DistanceKm(const Location& a, const Location& b) {
  const int64_t latitude_gap = std::abs(int64_t{a.latitude_udeg} - int64_t{b.latitude_udeg});
  const int64_t longitude_gap =
      std::abs(WrapLongitude(int64_t{a.longitude_udeg} - int64_t{b.longitude_udeg}));
  const double latitude_sine = SineOfHalf(latitude_gap);
  const double longitude_sine = SineOfHalf(longitude_gap);
  const double haversine = latitude_sine * latitude_sine + CosineOfLatitude(a.latitude_udeg) *
                                                               CosineOfLatitude(b.latitude_udeg) *
                                                               (longitude_sine * longitude_sine);
  // Rounding may leave antipodes just above 1.
  return 2 * kEarthRadiusKm * CentralHalfAngle(haversine < 1 ? haversine : 1.0);
}

int64_t WrapLongitude(int64_t longitude_udeg) {
  if (longitude_udeg >= 180 * kDegree) return longitude_udeg - 360 * kDegree;
  if (longitude_udeg < -180 * kDegree) return longitude_udeg + 360 * kDegree;
  return longitude_udeg;
}

}  // namespace caracal::agents
