#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/api/agent.h"
#include "agents/api/ruleset.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/state/key_hash.h"

namespace caracal::agents {

/// One transaction to judge, and the bucket it belongs to.
struct EvaluationInput {
  const Transaction* transaction = nullptr;
  BucketState* bucket = nullptr;
  /// HashKey of transaction->key with the rulesets' seed.
  KeyHash key_hash;
  /// Tag of the row; used when has_row.
  uint64_t row_tag = 0;
  bool has_row = false;
  /// False = warm: the state changes, nothing is raised or counted as fired.
  bool raise = true;
};

struct RuleEvaluationCounts {
  uint64_t evaluations = 0;
  uint64_t fired = 0;  ///< on events that may raise
  uint64_t late = 0;
  uint64_t inactive = 0;
  uint64_t at_least = 0;
};

struct RulesetEvaluationCounts {
  uint64_t alerts = 0;
  std::vector<RuleEvaluationCounts> rules;  ///< by rule of the spec, also those that are off
};

/// What an Evaluate call adds to.
struct EvaluationCounts {
  uint64_t evaluated = 0;  ///< transactions that may raise
  uint64_t warmed = 0;
  uint64_t duplicates = 0;
  std::vector<RulesetEvaluationCounts> rulesets;

  explicit EvaluationCounts(const CompiledRulesets& compiled);
  /// Zeroes everything and keeps the memory.
  void Reset();
};

/// Judges batches of transactions: skips re-delivered rows, finds the record of each rule key
/// (prefetched over the batch), runs every rule's agent once per mini-batch, and adds up the
/// scores.
///
/// The result is a function of each bucket's inputs in order, whatever the batches are: rules
/// change disjoint slices of a record, so that running rule by rule equals running event by event;
/// and a mini-batch ends where a full bucket must evict.
///
/// One thread at a time; no allocation per event in steady state.
class Evaluator {
 public:
  explicit Evaluator(std::shared_ptr<const CompiledRulesets> rulesets);

  /// Judges inputs[i] in order. Appends to `judgements` one entry per event and ruleset that
  /// alerts, by event (index into `inputs`) and ruleset; adds to `counts`.
  void Evaluate(std::span<const EvaluationInput> inputs, std::vector<Judgement>& judgements,
                EvaluationCounts& counts);

 private:
  static constexpr size_t kMiniBatch = 64;

  /// An event of the mini-batch that is to be judged.
  struct Pending {
    uint32_t event = 0;
    const Transaction* transaction = nullptr;
    BucketState* bucket = nullptr;
    bool raise = false;
  };
  struct Fired {
    uint32_t pending = 0;
    uint16_t rule = 0;  ///< index into CompiledRulesets::rules
    Verdict verdict;
  };

  void Prefetch(std::span<const EvaluationInput> inputs);
  void Resolve(std::span<const EvaluationInput> inputs, uint32_t first,
               std::vector<Judgement>& judgements, EvaluationCounts& counts);
  /// Fills the handles of the next pending event, evicting first where the bucket is full.
  void Locate(const EvaluationInput& input, size_t index, std::vector<Judgement>& judgements,
              EvaluationCounts& counts);
  /// Finds the handles of the next pending event; returns the bytes its missing keys need.
  size_t FindHandles(BucketState& bucket, size_t index);
  /// Runs the rules over what is pending and empties it.
  void Flush(std::vector<Judgement>& judgements, EvaluationCounts& counts);
  void RunRule(size_t rule_index, EvaluationCounts& counts);
  void Collect(std::vector<Judgement>& judgements, EvaluationCounts& counts);
  bool Truncated(const Pending& pending, size_t pending_index, uint16_t group) const;
  KeyTable::Handle& HandleOf(size_t pending_index, size_t group) {
    return handles_[pending_index * rulesets_->groups().size() + group];
  }

  const std::shared_ptr<const CompiledRulesets> rulesets_;
  std::vector<std::unique_ptr<Agent>> agents_;  ///< by rule
  std::vector<TableKey> keys_;                  ///< [event in mini-batch][group]
  std::vector<KeyTable::Handle> handles_;       ///< [pending][group]
  std::vector<Pending> pending_;
  std::vector<Fired> fired_;
  std::string key_scratch_;
  // Arguments of Agent::Process.
  std::vector<const Transaction*> events_;
  std::vector<std::byte*> states_;
  std::vector<Verdict> verdicts_;
  std::vector<uint32_t> admitted_;  ///< pending index of each argument
};

}  // namespace caracal::agents
