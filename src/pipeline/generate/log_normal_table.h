#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace caracal::pipeline {

/// Multiplies a median by a log-normal factor that never leaves [1/bound, bound]: a quantile table
/// of the truncated distribution, interpolated linearly. Immutable after construction; any thread.
class LogNormalTable {
 public:
  /// sigma > 0: standard deviation of the logarithm. bound > 1.
  LogNormalTable(double sigma, double bound);

  /// `median` times the factor that 64 uniform bits stand for, rounded; in the unit of `median`.
  int64_t Scale(int64_t median, uint64_t bits) const {
    const size_t cell = bits >> (64 - kCellBits);
    const auto fraction = static_cast<int64_t>((bits >> (64 - kCellBits - 16)) & 0xFFFF);
    const int64_t low = factors_[cell];
    const int64_t factor = low + (((factors_[cell + 1] - low) * fraction) >> 16);
    return (median * factor + kOne / 2) >> kUnitBits;
  }

 private:
  static constexpr int kCellBits = 12;
  static constexpr int kUnitBits = 24;
  static constexpr int64_t kOne = int64_t{1} << kUnitBits;

  std::array<int64_t, (size_t{1} << kCellBits) + 1> factors_;
};

}  // namespace caracal::pipeline
