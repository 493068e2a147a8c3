#pragma once

#include <cstdint>

namespace caracal::agents {

/// The weight left of 1 after `elapsed_us`: 2^(-elapsed_us / half_life_us), relative error below
/// 1e-15, exactly 1 for 0 and exactly 2^-k after k half-lives; 0 from 1,000 half-lives on.
/// `half_life_us` is between 1 and 2^53. Integers and IEEE + - x / only: every host and compiler
/// gets the same bits.
double Decay(uint64_t elapsed_us, int64_t half_life_us);

}  // namespace caracal::agents
