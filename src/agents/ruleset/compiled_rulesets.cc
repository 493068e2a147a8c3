#include "agents/ruleset/compiled_rulesets.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "agents/ruleset/ruleset_compiler.h"

namespace caracal::agents {

std::string CompileProblem::Text() const {
  if (rule.empty()) return fmt::format("ruleset '{}': {}", ruleset, message);
  return fmt::format("ruleset '{}', rule '{}': {}", ruleset, rule, message);
}

absl::StatusOr<std::shared_ptr<const CompiledRulesets>> CompiledRulesets::Compile(
    std::span<const RulesetSpec> specs, const AgentRegistry& registry, const StreamContext& stream,
    const CompileOptions& options, std::vector<CompileProblem>* problems) {
  RulesetCompiler compiler(registry, stream, options);
  std::shared_ptr<const CompiledRulesets> compiled = compiler.Run(specs);
  if (problems != nullptr) *problems = compiler.problems();
  if (compiled != nullptr) return compiled;
  std::string text;
  for (const CompileProblem& problem : compiler.problems()) {
    if (!text.empty()) text += '\n';
    text += problem.Text();
  }
  return absl::InvalidArgumentError(text);
}

std::shared_ptr<const CompiledRulesets> CompiledRulesets::Only(
    const std::function<bool(const StateSlice&)>& keep) const {
  std::set<std::pair<uint16_t, uint16_t>> wanted;
  for (const KeyGroup& group : layout_.groups) {
    for (const StateSlice& slice : group.slices) {
      if (keep(slice)) wanted.emplace(slice.ruleset, slice.rule);
    }
  }
  std::vector<bool> kept(rules_.size());
  for (size_t i = rules_.size(); i-- > 0;) {
    if (wanted.contains({rules_[i].ruleset, rules_[i].rule})) kept[i] = true;
    if (!kept[i]) continue;
    for (const FeatureSource& source : rules_[i].features) kept[source.rule] = true;
  }
  std::shared_ptr<CompiledRulesets> only(new CompiledRulesets(*this));
  only->rules_.clear();
  std::vector<uint32_t> new_index(rules_.size());
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (!kept[i]) continue;
    new_index[i] = static_cast<uint32_t>(only->rules_.size());
    CompiledRule rule = rules_[i];
    for (FeatureSource& source : rule.features) source.rule = new_index[source.rule];
    only->rules_.push_back(std::move(rule));
  }
  return only;
}

}  // namespace caracal::agents
