#include "pipeline/snapshot/rules_shelf.h"

#include <utility>

#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kVersionDigits = 12;

bool HasHash(std::string_view value, std::string_view hash) {
  return value.data() != nullptr && hash.size() == kVersionDigits &&
         Sha256Hex(value, kVersionDigits) == hash;
}

}  // namespace

void RulesShelf::Add(const StateKey& key, std::string_view value) {
  if (key.kind == StateKeyKind::kRuleset) {
    if (HasHash(value, key.name)) {
      texts_.insert(key.name);
    } else {
      texts_.erase(key.name);
    }
    return;
  }
  manifests_.erase(key.name);
  if (!HasHash(value, key.name)) return;
  absl::StatusOr<RulesManifest> manifest = ParseRulesManifest(value);
  if (manifest.ok()) manifests_.emplace(key.name, *std::move(manifest));
}

std::vector<StateWrite> RulesShelf::Missing(const RulesRecord& rules) const {
  std::vector<StateWrite> writes;
  for (const RulesetText& ruleset : rules.rulesets) {
    if (texts_.contains(ruleset.version)) continue;
    writes.push_back({FormatRulesetKey(ruleset.version), ruleset.canonical_json});
  }
  if (!manifests_.contains(rules.hash)) writes.push_back({FormatRulesKey(rules.hash), rules.text});
  return writes;
}

void RulesShelf::Note(const RulesRecord& rules) {
  for (const RulesetText& ruleset : rules.rulesets) texts_.insert(ruleset.version);
  manifests_.insert_or_assign(rules.hash, rules.manifest);
}

}  // namespace caracal::pipeline
