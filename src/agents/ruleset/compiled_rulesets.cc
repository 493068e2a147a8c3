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
  std::set<std::pair<uint16_t, uint16_t>> kept;
  for (const KeyGroup& group : layout_.groups) {
    for (const StateSlice& slice : group.slices) {
      if (keep(slice)) kept.emplace(slice.ruleset, slice.rule);
    }
  }
  std::shared_ptr<CompiledRulesets> only(new CompiledRulesets(*this));
  std::erase_if(only->rules_, [&kept](const CompiledRule& rule) {
    return !kept.contains({rule.ruleset, rule.rule});
  });
  return only;
}

}  // namespace caracal::agents
