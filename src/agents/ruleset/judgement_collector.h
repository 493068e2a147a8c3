#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agents/api/ruleset.h"
#include "agents/api/verdict.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluation_counts.h"
#include "agents/ruleset/event_mask.h"

namespace caracal::agents {

/// Adds up, per event of a mini-batch and ruleset, the scores of the rules that fired, and turns
/// the sums above alert_above into judgements. Allocates only for those. One thread; part of an
/// Evaluator. The rulesets must outlive it.
class JudgementCollector {
 public:
  explicit JudgementCollector(const CompiledRulesets& rulesets);

  /// An enforced rule fired on an event. Per event, rules come in ascending order.
  void Add(const CompiledRule& rule, size_t event, const Verdict& verdict);
  /// The agent of an enforced rule had an error with an event. Per event, rules come in ascending
  /// order.
  void AddFailed(const CompiledRule& rule, size_t event) {
    failed_.push_back({event, rule.ruleset, rule.rule});
  }
  /// Events in `events` were judged by an enforced rule of the ruleset with a truncated record.
  void MarkTruncated(uint16_t ruleset, EventMask events) { rulesets_[ruleset].truncated |= events; }

  /// Appends the judgements of all events added since the last call to `out`, by (event, ruleset),
  /// counts them, and forgets the events. Event 0 of the mini-batch is event `first` of `out`.
  void Flush(size_t first, std::vector<Judgement>& out, EvaluationCounts& counts);

 private:
  static constexpr uint32_t kEnd = 0xFFFFFFFFU;

  /// A rule that fired; those of one event and ruleset form a list in rule order.
  struct Fired {
    FiredRule rule;
    uint32_t next = kEnd;
  };
  struct Failed {
    size_t event = 0;
    uint16_t ruleset = 0;
    uint16_t rule = 0;
  };
  struct Ruleset {
    const RulesetInfo* info = nullptr;
    EventMask fired = 0;  // events with at least one Fired: only their entries below are valid
    EventMask truncated = 0;
    std::array<int32_t, kMiniBatchEvents> scores;
    std::array<uint32_t, kMiniBatchEvents> heads;
    std::array<uint32_t, kMiniBatchEvents> tails;
  };

  Judgement JudgementOf(size_t ruleset, size_t event, size_t first) const;

  std::vector<Ruleset> rulesets_;
  std::vector<Fired> fired_;
  std::vector<Failed> failed_;
  EventMask fired_events_ = 0;
};

}  // namespace caracal::agents
