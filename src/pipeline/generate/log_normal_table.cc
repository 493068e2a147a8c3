#include "pipeline/generate/log_normal_table.h"

#include "pipeline/generate/portable_math.h"

namespace caracal::pipeline {
namespace {

constexpr double kLog2E = 1.442695040888963407;

// The p with InverseNormal(p) = z, for z < 0, by bisection: the distribution function itself would
// need an error function.
double LowerTail(double z) {
  double low = 1e-300;
  double high = 0.5;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (InverseNormal(middle) < z ? low : high) = middle;
  }
  return high;
}

}  // namespace

LogNormalTable::LogNormalTable(double sigma, double bound) {
  const double limit = PortableLog2(bound) / kLog2E / sigma;
  const double cut = LowerTail(-limit);
  const size_t cells = factors_.size() - 1;
  for (size_t i = 0; i <= cells; ++i) {
    const double p = cut + (1 - 2 * cut) * static_cast<double>(i) / static_cast<double>(cells);
    double z = InverseNormal(p);
    if (z < -limit || i == 0) z = -limit;
    if (z > limit || i == cells) z = limit;
    const double factor = PortableExp2(z * sigma * kLog2E);
    factors_[i] = static_cast<int64_t>(factor * static_cast<double>(kOne) + 0.5);
  }
}

}  // namespace caracal::pipeline
