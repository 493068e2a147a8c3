#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/generate/random.h"

namespace caracal::pipeline {

/// Draws indices with given probabilities in constant time (Walker's alias method in Vose's form).
/// Immutable after construction; any thread. Eight bytes per index.
class WeightedSampler {
 public:
  /// `weights`: at least one, at most 2^32 - 1, none negative, sum > 0; they need not add up to 1.
  explicit WeightedSampler(const std::vector<double>& weights);

  /// The index that 64 uniform bits stand for.
  uint32_t Pick(uint64_t bits) const {
    const uint64_t scaled = (bits >> 32) * slots_.size();
    const Slot& slot = slots_[scaled >> 32];
    return static_cast<uint32_t>(bits) < slot.threshold ? static_cast<uint32_t>(scaled >> 32)
                                                        : slot.alias;
  }
  uint32_t Sample(Random& random) const { return Pick(random.Next()); }

 private:
  struct Slot {
    uint32_t threshold = 0;
    uint32_t alias = 0;
  };

  std::vector<Slot> slots_;
};

}  // namespace caracal::pipeline
