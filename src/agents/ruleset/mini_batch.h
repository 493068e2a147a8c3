#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluation_input.h"
#include "agents/ruleset/event_mask.h"
#include "agents/state/key_table.h"

namespace caracal::agents {

/// Some consecutive events on their way through an Evaluator, and what is known of them before any
/// is judged. Used again and again; its parts keep their memory. Owns no event.
struct MiniBatch {
  /// The records of one group that the events need.
  struct GroupKeys {
    EventMask wanted = 0;
    std::array<TableKey, kMiniBatchEvents> keys;  ///< of the events in `wanted`
  };

  explicit MiniBatch(const CompiledRulesets& rulesets)
      : admitted(rulesets.filters().size()), groups(rulesets.layout().groups.size()) {}

  /// At most kMiniBatchEvents.
  std::span<const EvaluationInput> inputs;
  /// Index of inputs[0] in the call of Evaluate.
  size_t first = 0;
  std::vector<EventMask> admitted;  ///< per filter
  std::vector<GroupKeys> groups;    ///< as StateLayout::groups
};

}  // namespace caracal::agents
