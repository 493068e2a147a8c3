#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/types/activation.h"

namespace caracal::pipeline {

/// The activations of a partition when this process's rules go on at the committed offset: those
/// recorded, and one more where the rules are others than those recorded last. Activations beyond
/// the offset (an operator has set the group back) are forgotten; one at the offset, by which no
/// record was judged, is replaced. Never empty; the last one is of `rules`.
std::vector<Activation> PlanActivations(std::vector<Activation> recorded, int64_t committed,
                                        const std::string& rules);

/// Forgets activations that no copy needs any more: the state of every bucket has been saved beyond
/// the next one. Called when the record becomes long: what is forgotten, replay cannot go back to.
std::vector<Activation> ForgetActivations(std::vector<Activation> activations, int64_t oldest_copy);

}  // namespace caracal::pipeline
