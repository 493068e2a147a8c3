#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/state_layout.h"

namespace caracal::agents {

/// Runs one compilation: the work behind CompiledRulesets::Compile. Goes through all rules however
/// many problems it meets, so that one run reports them all. Use once; one thread. Keeps references
/// to what it is constructed with.
class RulesetCompiler {
 public:
  RulesetCompiler(const AgentRegistry& registry, const StreamContext& stream,
                  const CompileOptions& options);

  /// Null when there are problems().
  std::shared_ptr<const CompiledRulesets> Run(std::span<const RulesetSpec> specs);
  const std::vector<CompileProblem>& problems() const { return problems_; }

 private:
  void CheckRuleset(const RulesetSpec& ruleset);
  void AddRuleset(const RulesetSpec& ruleset);
  void AddRule(const RulesetSpec& ruleset, const RuleSpec& rule, RulesetInfo& info);
  /// Null when the agent is unknown or refuses the rule.
  std::unique_ptr<const BoundRule> Bind(const RuleSpec& rule, const AgentFactory* agent);
  void CheckKeyAndFilters(const RuleSpec& rule);
  void CheckMapped(std::string_view what, const std::string& attribute);
  void CheckState(const StateSpec& state);
  void CheckCurrency(const RuleSpec& rule, const BoundRule& bound);
  /// Adds a rule without problems to what is evaluated.
  void Include(const RuleSpec& rule, const AgentInfo& agent, std::unique_ptr<const BoundRule> bound,
               size_t rule_index);
  uint32_t FilterIndex(const RuleFilter& filter);
  void LayOut();
  CompiledRule& RuleOf(const StateSlice& slice);
  void CheckRecordSize(const KeyGroup& group);
  void Refuse(std::string message);

  const AgentRegistry& registry_;
  const StreamContext& stream_;
  const std::string mapped_attributes_;  // for messages
  std::shared_ptr<CompiledRulesets> compiled_;
  std::vector<SliceRequest> slices_;
  std::vector<StateDigest> observed_;  // RuleIdentity::observed, as the rules to evaluate
  std::vector<CompileProblem> problems_;
  std::set<std::string> ruleset_names_;
  std::set<std::string> rule_ids_;      // of the current ruleset
  StreamContext context_;               // the stream, with the features of the current ruleset
  std::vector<FeatureSource> sources_;  // of context_.features, where the ruleset is not off
  // What problems are about.
  std::string ruleset_name_;
  std::string rule_id_;
};

}  // namespace caracal::agents
