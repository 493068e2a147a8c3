#include "pipeline/generate/weighted_sampler.h"

#include <numeric>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

uint32_t ToThreshold(double probability) {
  const double scaled = probability * 4294967296.0;
  return scaled >= 4294967295.0 ? UINT32_MAX : static_cast<uint32_t>(scaled);
}

}  // namespace

WeightedSampler::WeightedSampler(const std::vector<double>& weights) : slots_(weights.size()) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  CHECK(!weights.empty() && weights.size() < UINT32_MAX && total > 0);

  std::vector<double> scaled;
  scaled.reserve(weights.size());
  std::vector<uint32_t> small;
  std::vector<uint32_t> large;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    scaled.push_back(weights[i] / total * static_cast<double>(weights.size()));
    (scaled[i] < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t poor = small.back();
    const uint32_t rich = large.back();
    small.pop_back();
    slots_[poor] = {ToThreshold(scaled[poor]), rich};
    scaled[rich] -= 1 - scaled[poor];
    if (scaled[rich] < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  for (const uint32_t i : small) slots_[i] = {UINT32_MAX, i};
  for (const uint32_t i : large) slots_[i] = {UINT32_MAX, i};
}

}  // namespace caracal::pipeline
