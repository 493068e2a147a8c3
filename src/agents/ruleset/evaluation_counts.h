#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "agents/ruleset/compiled_rulesets.h"

namespace caracal::agents {

/// What one rule did with the transactions that were judged (warmed ones are not counted).
struct RuleCounts {
  uint64_t evaluations = 0;  ///< transactions the rule's filters admitted
  uint64_t fired = 0;        ///< of shadow rules too
  uint64_t late = 0;         ///< VerdictFlag::kLate
  uint64_t inactive = 0;     ///< VerdictFlag::kInactive
  uint64_t at_least = 0;     ///< VerdictFlag::kAtLeast
  uint64_t errors = 0;       ///< VerdictFlag::kFailed
};

struct RulesetCounts {
  std::array<uint64_t, kSeverityCount> alerts = {};
  std::vector<RuleCounts> rules;  ///< as RulesetInfo::rules; zero for rules of mode off
};

/// What an Evaluator did. Every input is exactly one of evaluated, warmed and duplicate.
struct EvaluationCounts {
  explicit EvaluationCounts(const CompiledRulesets& compiled) {
    for (const RulesetInfo& info : compiled.infos()) {
      rulesets.push_back({{}, std::vector<RuleCounts>(info.rules.size())});
    }
  }

  /// Zeroes everything and keeps the memory.
  void Reset() {
    evaluated = warmed = duplicates = 0;
    for (RulesetCounts& ruleset : rulesets) {
      ruleset.alerts.fill(0);
      std::fill(ruleset.rules.begin(), ruleset.rules.end(), RuleCounts());
    }
  }

  uint64_t evaluated = 0;
  uint64_t warmed = 0;
  uint64_t duplicates = 0;
  std::vector<RulesetCounts> rulesets;  ///< as CompiledRulesets::infos()
};

}  // namespace caracal::agents
