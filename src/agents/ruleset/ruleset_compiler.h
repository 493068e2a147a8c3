#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/ruleset/compiled_rulesets.h"

namespace caracal::agents {

/// Builds one CompiledRulesets and collects every problem on the way. Used once, by one thread.
class RulesetCompiler {
 public:
  RulesetCompiler(const AgentRegistry& registry, const StreamContext& stream,
                  const CompileOptions& options);

  absl::StatusOr<std::shared_ptr<const CompiledRulesets>> Compile(
      std::span<const RulesetSpec> specs);

 private:
  void AddRuleset(const RulesetSpec& spec);
  void AddRule(const RulesetSpec& ruleset, const RuleSpec& spec);
  std::unique_ptr<BoundRule> Bind(const RulesetSpec& ruleset, const RuleSpec& spec,
                                  const AgentFactory& factory);
  bool ResolveSlots(const RulesetSpec& ruleset, const RuleSpec& spec, CompiledRule& rule,
                    std::vector<uint16_t>& suffix);
  bool CheckCurrencies(const RulesetSpec& ruleset, const RuleSpec& spec, const BoundRule& bound);
  void AddProblem(const RulesetSpec& ruleset, const RuleSpec* rule, const std::string& message);
  std::string MappedAttributes() const;
  void LayOut();
  void Identify();

  const AgentRegistry& registry_;
  const StreamContext& stream_;
  std::shared_ptr<CompiledRulesets> result_;
  std::vector<std::string> problems_;
  std::set<std::string> ruleset_names_;
  std::map<std::vector<uint16_t>, uint16_t> group_of_suffix_;
};

}  // namespace caracal::agents
