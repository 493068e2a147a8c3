#include "agents/ruleset/compiled_rulesets.h"

#include <algorithm>

#include "agents/ruleset/ruleset_compiler.h"

namespace caracal::agents {
namespace {

constexpr char kNullPart = 0;
constexpr char kTextPart = 1;

void AppendPart(std::string_view text, std::string& out) {
  if (text.data() == nullptr) {
    out.push_back(kNullPart);
    return;
  }
  out.push_back(kTextPart);
  const auto size = static_cast<uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(size >> shift));
  out.append(text);
}

}  // namespace

bool CompiledRule::Admits(const Transaction& transaction) const {
  return std::all_of(filters.begin(), filters.end(), [&transaction](const Filter& filter) {
    const std::string_view value = transaction.attributes[filter.slot];
    return value.data() != nullptr &&
           std::binary_search(filter.values.begin(), filter.values.end(), value);
  });
}

std::string_view RuleGroup::KeyText(const Transaction& transaction, std::string& scratch) const {
  if (suffix.empty()) return transaction.key;
  scratch.clear();
  AppendPart(transaction.key, scratch);
  for (const uint16_t slot : suffix) AppendPart(transaction.attributes[slot], scratch);
  return scratch;
}

absl::StatusOr<std::shared_ptr<const CompiledRulesets>> CompiledRulesets::Compile(
    std::span<const RulesetSpec> specs, const AgentRegistry& registry, const StreamContext& stream,
    const CompileOptions& options) {
  return RulesetCompiler(registry, stream, options).Compile(specs);
}

}  // namespace caracal::agents
