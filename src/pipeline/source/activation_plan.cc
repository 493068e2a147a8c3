#include "pipeline/source/activation_plan.h"

#include <utility>

namespace caracal::pipeline {

std::vector<Activation> PlanActivations(std::vector<Activation> recorded, int64_t committed,
                                        const std::string& rules) {
  std::vector<Activation> activations = std::move(recorded);
  while (!activations.empty() && activations.back().offset > committed) activations.pop_back();
  if (activations.empty()) return {{committed, rules}};
  if (activations.back().rules == rules) return activations;
  if (activations.back().offset == committed) activations.pop_back();
  if (activations.empty() || activations.back().rules != rules) {
    activations.push_back({committed, rules});
  }
  return activations;
}

std::vector<Activation> ForgetActivations(std::vector<Activation> activations,
                                          int64_t oldest_copy) {
  auto first_needed = activations.begin();
  while (first_needed + 1 < activations.end() && (first_needed + 1)->offset < oldest_copy) {
    ++first_needed;
  }
  activations.erase(activations.begin(), first_needed);
  return activations;
}

}  // namespace caracal::pipeline
