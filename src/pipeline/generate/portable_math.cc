#include "pipeline/generate/portable_math.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace caracal::pipeline {
namespace {

constexpr double kLn2 = 0.693147180559945309417232121458;
constexpr int kExponentBias = 1023;
constexpr int kMantissaBits = 52;

template <size_t kTerms>
double Polynomial(const std::array<double, kTerms>& coefficients, double x) {
  double sum = 0;
  for (const double coefficient : coefficients) sum = sum * x + coefficient;
  return sum;
}

// Coefficients of P. J. Acklam, "An algorithm for computing the inverse normal cumulative
// distribution function" (2003), highest power first.
constexpr std::array<double, 6> kCentralTop = {-3.969683028665376e+01, 2.209460984245205e+02,
                                               -2.759285104469687e+02, 1.383577518672690e+02,
                                               -3.066479806614716e+01, 2.506628277459239e+00};
constexpr std::array<double, 6> kCentralBottom = {-5.447609879822406e+01, 1.615858368580409e+02,
                                                  -1.556989798598866e+02, 6.680131188771972e+01,
                                                  -1.328068155288572e+01, 1.0};
constexpr std::array<double, 6> kTailTop = {-7.784894002430293e-03, -3.223964580411365e-01,
                                            -2.400758277161838e+00, -2.549732539343734e+00,
                                            4.374664141464968e+00,  2.938163982698783e+00};
constexpr std::array<double, 5> kTailBottom = {7.784695709041462e-03, 3.224671290700398e-01,
                                               2.445134137142996e+00, 3.754408661907416e+00, 1.0};
constexpr double kTail = 0.02425;

// The lower tail: p < kTail, z < 0.
double InverseNormalTail(double p) {
  const double q = std::sqrt(-2 * PortableLog2(p) * kLn2);
  return Polynomial(kTailTop, q) / Polynomial(kTailBottom, q);
}

}  // namespace

double PortableExp2(double x) {
  auto whole = static_cast<int64_t>(x);
  if (static_cast<double>(whole) > x) --whole;
  const double y = (x - static_cast<double>(whole)) * kLn2;
  double sum = 1;
  // Taylor series by Horner; y < ln 2, so the first dropped term is below 1e-18.
  for (int n = 18; n >= 1; --n) sum = 1 + sum * y / n;
  return sum * std::bit_cast<double>(static_cast<uint64_t>(whole + kExponentBias) << kMantissaBits);
}

double PortableLog2(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int64_t exponent = static_cast<int64_t>(bits >> kMantissaBits) - kExponentBias;
  double mantissa = std::bit_cast<double>((bits & ((uint64_t{1} << kMantissaBits) - 1)) |
                                          (uint64_t{kExponentBias} << kMantissaBits));
  if (mantissa > 1.4142135623730951) {
    mantissa /= 2;
    ++exponent;
  }
  // ln m = 2 artanh z with |z| < 0.172: 13 terms reach 1e-20.
  const double z = (mantissa - 1) / (mantissa + 1);
  const double square = z * z;
  double sum = 0;
  for (int n = 25; n >= 1; n -= 2) sum = sum * square + 1.0 / n;
  return static_cast<double>(exponent) + 2 * z * sum / kLn2;
}

double PortablePow(double x, double y) { return PortableExp2(y * PortableLog2(x)); }

double InverseNormal(double p) {
  if (p < kTail) return InverseNormalTail(p);
  if (p > 1 - kTail) return -InverseNormalTail(1 - p);
  const double q = p - 0.5;
  const double r = q * q;
  return Polynomial(kCentralTop, r) * q / Polynomial(kCentralBottom, r);
}

}  // namespace caracal::pipeline
