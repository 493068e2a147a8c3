#include "agents/ruleset/compiled_rulesets.h"

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

}  // namespace caracal::agents
