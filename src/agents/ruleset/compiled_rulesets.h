#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/api/agent.h"
#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "agents/ruleset/rule_filter.h"
#include "agents/ruleset/state_layout.h"

namespace caracal::agents {

/// What rulesets are compiled with besides their text.
struct CompileOptions {
  /// Seed of every key hash of the stream (HashKey); the same for EvaluationInput::key_hash.
  uint64_t hash_seed = 0;
};

/// Something in a rule file that cannot be used.
struct CompileProblem {
  std::string ruleset;
  std::string rule;  ///< empty = the ruleset itself
  std::string message;

  /// "ruleset 'x', rule 'y': message".
  std::string Text() const;
};

/// Where a value comes from that a rule observes and a later one builds on.
struct FeatureSource {
  uint32_t rule = 0;  ///< index into rules()
  uint8_t slot = 0;   ///< index into Verdict::observed
};

/// A rule to be evaluated: its mode is not off, nor its ruleset's.
struct CompiledRule {
  static constexpr uint32_t kStateless = 0xFFFFFFFFU;

  uint16_t ruleset = 0;  ///< index into infos()
  uint16_t rule = 0;     ///< index into RulesetInfo::rules
  bool enforced = false;
  int32_t score = 0;
  uint32_t filter = 0;                  ///< index into filters()
  uint32_t group = kStateless;          ///< index into layout().groups
  uint32_t offset = 0;                  ///< of its state in the group's record
  bool is_observed = false;             ///< a later rule builds on what it observes
  std::vector<FeatureSource> features;  ///< as BoundRule::features
  std::shared_ptr<const BoundRule> bound;
};

/// The rulesets of a stream, checked, bound to it and laid out: what evaluators run and buckets are
/// shaped by. Immutable; any thread. Made by Compile; shared by all evaluators and buckets of the
/// stream, which keep it alive. The agent registry must outlive it.
class CompiledRulesets {
 public:
  /// |RuleSpec::score| bound.
  static constexpr int32_t kMaxScore = 1'000'000;
  /// Rules in a ruleset; with kMaxScore no sum of scores overflows.
  static constexpr size_t kMaxRules = 1'000;
  static constexpr size_t kMaxRulesets = 1'000;

  /// Checks and compiles `specs` for a stream. InvalidArgument with all problems found, one per
  /// line, which are also put into `problems` if given.
  ///
  /// Refused: unknown agents; attributes that the stream does not map, in keys and filters; equal
  /// or empty ruleset names, or rule ids within a ruleset; what the agents themselves refuse; rules
  /// that accumulate money over mixed currencies; rulesets without rules; scores, rule counts and
  /// records per key beyond their bounds; an alert_above below 0, which would alert on everything.
  static absl::StatusOr<std::shared_ptr<const CompiledRulesets>> Compile(
      std::span<const RulesetSpec> specs, const AgentRegistry& registry,
      const StreamContext& stream, const CompileOptions& options,
      std::vector<CompileProblem>* problems = nullptr);

  /// The same rulesets with fewer rules to evaluate: those stateful ones whose slice `keep` wants,
  /// and the rules they build on, whose state is never younger (RuleIdentity). Infos, filters and
  /// layout are the same, so that its evaluators take the same buckets: what reads records which
  /// the other rules must not see.
  std::shared_ptr<const CompiledRulesets> Only(
      const std::function<bool(const StateSlice&)>& keep) const;

  /// One per spec, in their order, those of mode off included.
  const std::vector<RulesetInfo>& infos() const { return infos_; }
  /// The rules to evaluate, by (ruleset, rule).
  const std::vector<CompiledRule>& rules() const { return rules_; }
  /// The distinct filters of the rules.
  const std::vector<RuleFilter>& filters() const { return filters_; }
  const StateLayout& layout() const { return layout_; }
  uint64_t hash_seed() const { return hash_seed_; }
  /// What one event adds to a bucket at most: a new key in every group, in bytes.
  size_t event_bytes_max() const { return event_bytes_max_; }

 private:
  friend class RulesetCompiler;
  CompiledRulesets() = default;
  CompiledRulesets(const CompiledRulesets&) = default;

  std::vector<RulesetInfo> infos_;
  std::vector<CompiledRule> rules_;
  std::vector<RuleFilter> filters_;
  StateLayout layout_;
  uint64_t hash_seed_ = 0;
  size_t event_bytes_max_ = 0;
};

}  // namespace caracal::agents
