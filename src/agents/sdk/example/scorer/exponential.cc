#include "exponential.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace scorer {
namespace {

constexpr double kBound = 700;
constexpr double kLog2E = 1.4426950408889634;
// ln 2 in two parts: an integer up to 2^20 times the first one is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr int kExponentBias = 1023;
constexpr int kMantissaBits = 52;

// 1/14!, 1/13!, ..., 1/0!
constexpr double kInverseFactorials[] = {1.0 / 87178291200,
                                         1.0 / 6227020800,
                                         1.0 / 479001600,
                                         1.0 / 39916800,
                                         1.0 / 3628800,
                                         1.0 / 362880,
                                         1.0 / 40320,
                                         1.0 / 5040,
                                         1.0 / 720,
                                         1.0 / 120,
                                         1.0 / 24,
                                         1.0 / 6,
                                         1.0 / 2,
                                         1,
                                         1};

double PowerOfTwo(int64_t exponent) {
  const uint64_t bits = static_cast<uint64_t>(exponent + kExponentBias) << kMantissaBits;
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace

// x = k ln 2 + r with |r| <= 0.35; e^r by its Taylor series, whose rest is below 1e-17.
double Exponential(double x) {
  x = std::clamp(x, -kBound, kBound);
  const double scaled = x * kLog2E;
  const auto k = static_cast<int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const double r = (x - static_cast<double>(k) * kLn2High) - static_cast<double>(k) * kLn2Low;
  double sum = 0;
  for (const double factor : kInverseFactorials) sum = sum * r + factor;
  return sum * PowerOfTwo(k);
}

// x = 2^k m with m in [0.75, 1.5); ln m = 2 artanh(s), s = (m - 1) / (m + 1), |s| <= 0.2.
double Logarithm(double x) {
  constexpr int kLastPower = 23;
  constexpr double kTwo54 = 18014398509481984.0;
  int64_t k = 0;
  if (x < PowerOfTwo(1 - kExponentBias)) {  // subnormal
    x *= kTwo54;
    k = -54;
  }
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  k += static_cast<int64_t>(bits >> kMantissaBits) - kExponentBias;
  bits = (bits & ((uint64_t{1} << kMantissaBits) - 1)) | uint64_t{kExponentBias} << kMantissaBits;
  double m;
  std::memcpy(&m, &bits, sizeof(m));
  if (m >= 1.5) {
    m /= 2;
    ++k;
  }
  const double s = (m - 1) / (m + 1);
  double sum = 0;
  for (int power = kLastPower; power > 0; power -= 2) sum = sum * s * s + 1.0 / power;
  const double high = static_cast<double>(k) * kLn2High;
  return high + (2 * s * sum + static_cast<double>(k) * kLn2Low);
}

double Logistic(double x) { return 1 / (1 + Exponential(-x)); }

}  // namespace scorer
