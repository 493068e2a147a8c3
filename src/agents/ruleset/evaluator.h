#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "agents/api/agent.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "agents/api/verdict.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluation_counts.h"
#include "agents/ruleset/evaluation_input.h"
#include "agents/ruleset/event_mask.h"
#include "agents/ruleset/judgement_collector.h"
#include "agents/ruleset/mini_batch.h"
#include "agents/ruleset/record_resolver.h"

namespace caracal::agents {

/// Runs the compiled rulesets over batches of transactions: the last step before alerts are
/// encoded.
///
/// Judgements and state are a function of the transactions of each bucket in log order alone; how
/// they are split into batches, and which other buckets share a batch, changes nothing. Per
/// mini-batch: announce the memory to come, drop duplicate rows before any rule, find the records,
/// then rule by rule gather the events its filters admit and let its agent process them. What is
/// announced has two mini-batches' time to arrive: most of a random access to memory is waiting,
/// and that is spent on judging other events. An event costs one look-up per distinct rule key that
/// a rule wants for it; virtual calls are per rule and mini-batch. Allocates nothing per event once
/// its scratch has grown, except for judgements and new keys.
///
/// Cannot fail with the agents of this tree; a plugin may (see failure).
///
/// Owns the agents. One worker's: not thread-safe; it may move between threads.
class Evaluator {
 public:
  explicit Evaluator(std::shared_ptr<const CompiledRulesets> rulesets);

  /// Evaluates `inputs` in order: each bucket's in log order. Every bucket must be of this
  /// evaluator's layout. Replaces `out` by one judgement per (event, ruleset) that alerts,
  /// ordered by event, then ruleset. Adds to `counts`. To count some inputs apart (replayed ones),
  /// pass them in calls of their own.
  void Evaluate(std::span<const EvaluationInput> inputs, std::vector<Judgement>& out,
                EvaluationCounts& counts);

  /// OK, or why an agent can judge no more: neither the judgements of the call that found it nor
  /// the state are to be used. Every later call does nothing.
  const absl::Status& failure() const { return failure_; }

  const CompiledRulesets& rulesets() const { return *rulesets_; }

 private:
  /// Mini-batches under way: one whose index lines are loading, one whose records are, one that is
  /// judged.
  static constexpr size_t kUnderWay = 3;

  /// What a rule that later ones build on said of the events of a run.
  struct Observed {
    EventMask present = 0;
    std::array<Verdict, kMiniBatchEvents> verdicts;  ///< of the events in `present`
  };

  void Announce(MiniBatch& batch);
  void Judge(const MiniBatch& batch, std::vector<Judgement>& out, EvaluationCounts& counts);
  void SelectRules(MiniBatch& batch) const;
  /// The events that are not duplicates.
  static EventMask DropDuplicates(const MiniBatch& batch, EvaluationCounts& counts);
  void RunRule(size_t rule_index, const MiniBatch& batch, EventMask events,
               EvaluationCounts& counts);
  void Collect(const CompiledRule& rule, const MiniBatch& batch, size_t gathered,
               EvaluationCounts& counts);
  /// Judges the `count` events gathered for the rule.
  void Process(size_t rule_index, size_t count);
  void CheckAgents();

  std::shared_ptr<const CompiledRulesets> rulesets_;
  std::vector<std::unique_ptr<Agent>> agents_;  // as rulesets_->rules()
  absl::Status failure_;
  RecordResolver records_;
  JudgementCollector judgements_;
  std::vector<MiniBatch> under_way_;  // kUnderWay, in turn
  // The events gathered for one rule.
  std::array<uint8_t, kMiniBatchEvents> gathered_events_;
  std::array<const Transaction*, kMiniBatchEvents> transactions_;
  std::array<std::byte*, kMiniBatchEvents> states_;
  std::array<Verdict, kMiniBatchEvents> verdicts_;
  std::vector<Feature> features_;
  std::vector<std::unique_ptr<Observed>> observed_;  // as agents_; null where nothing builds on it
};

}  // namespace caracal::agents
