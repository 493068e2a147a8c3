#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/generate/random.h"
#include "pipeline/generate/weighted_sampler.h"

namespace caracal::pipeline {

/// Draws ranks 0..size-1 with probability proportional to (rank + 1)^-exponent, in constant time
/// and a few hundred KiB whatever the size. The first 4,096 ranks are exact; further ones share a
/// group with neighbours whose popularity differs by less than 5 %, the group as a whole is exact.
/// Immutable after construction; any thread.
class ZipfSampler {
 public:
  /// size in [1, 2^32 - 1], exponent in [0, 4]; exponent 0 is uniform.
  ZipfSampler(uint32_t size, double exponent);

  uint32_t Sample(Random& random) const {
    const Group& group = groups_[groups_sampler_.Sample(random)];
    if (group.width == 1) return group.first;
    return group.first + static_cast<uint32_t>(random.Below(group.width));
  }

 private:
  struct Group {
    uint32_t first = 0;
    uint32_t width = 1;
  };

  static std::vector<Group> MakeGroups(uint32_t size);
  static std::vector<double> Weights(const std::vector<Group>& groups, double exponent);

  std::vector<Group> groups_;
  WeightedSampler groups_sampler_;
};

}  // namespace caracal::pipeline
