#include "agents/amount/decay.h"

#include <array>
#include <bit>
#include <cstddef>

namespace caracal::agents {
namespace {

constexpr uint64_t kMaxHalfLives = 1'000;

// (2^-f - 1) / f on [0, 1]: the polynomial through its values at the Chebyshev nodes, computed with
// 60 digits; relative error 6e-17. Multiplied by f it is exact at f = 0.
constexpr std::array<double, 11> kCoefficients = {
    -0.6931471805599453,     0.2402265069590985,    -0.05550410866473285,    0.009618129106241331,
    -0.001333355803508817,   0.0001540352517215062, -1.5252580836125649e-05, 1.3212599041458506e-06,
    -1.0142862251827564e-07, 6.785037152904477e-09, -3.2435703048209343e-10};

// Horner's rule, unrolled.
template <size_t kFirst = 0>
double Polynomial(double x) {
  if constexpr (kFirst + 1 == kCoefficients.size()) {
    return kCoefficients[kFirst];
  } else {
    return kCoefficients[kFirst] + x * Polynomial<kFirst + 1>(x);
  }
}

}  // namespace

double Decay(uint64_t elapsed_us, int64_t half_life_us) {
  const uint64_t half_life = static_cast<uint64_t>(half_life_us);
  const uint64_t whole = elapsed_us / half_life;
  if (whole >= kMaxHalfLives) return 0.0;
  const double fraction =
      static_cast<double>(elapsed_us % half_life) / static_cast<double>(half_life);
  // The bits of 2^-whole: an IEEE double with that exponent and no fraction.
  const double power = std::bit_cast<double>((1023 - whole) << 52);
  return (1.0 + fraction * Polynomial(fraction)) * power;
}

}  // namespace caracal::agents
