#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/api/agent.h"
#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "agents/state/key_table.h"

namespace caracal::agents {

struct CompileOptions {
  /// Seeds the hash of composite keys; the same as for the stream's keys.
  uint64_t hash_seed = 0;
};

/// A rule of mode enforce or shadow, ready to be evaluated.
struct CompiledRule {
  struct Filter {
    uint16_t slot = 0;
    std::vector<std::string> values;  ///< sorted
  };
  uint16_t ruleset = 0;  ///< index into infos()
  uint16_t rule = 0;     ///< index into RulesetInfo::rules
  uint16_t group = 0;    ///< index into groups()
  uint32_t offset = 0;   ///< of the rule's record in the group's record
  uint32_t state_size = 0;
  bool enforced = false;
  int32_t score = 0;
  std::vector<Filter> filters;
  std::unique_ptr<BoundRule> bound;
  /// Identity of the record's layout: (rule id, agent, state version, size, fingerprint).
  uint64_t slice_hash = 0;

  /// True when the rule sees the transaction.
  bool Admits(const Transaction& transaction) const;
};

/// Rules that count by the same key share one record, side by side: one look-up per key and event.
struct RuleGroup {
  /// Attribute slots after the stream's key.
  std::vector<uint16_t> suffix;
  RecordLayout layout;

  /// The text this group's key has for a transaction: the stream's key itself, or a length-prefixed
  /// sequence of parts in `scratch`, in which NULL differs from every text.
  std::string_view KeyText(const Transaction& transaction, std::string& scratch) const;
};

/// The rulesets of one stream, checked, bound to their agents, and laid out in memory. Immutable;
/// any thread.
class CompiledRulesets {
 public:
  /// InvalidArgument with one line per problem: "ruleset 'x', rule 'y': what is wrong and what to
  /// do". `registry` is used during the call only.
  static absl::StatusOr<std::shared_ptr<const CompiledRulesets>> Compile(
      std::span<const RulesetSpec> specs, const AgentRegistry& registry,
      const StreamContext& stream, const CompileOptions& options);

  /// Every ruleset of the input, also those that are off.
  const std::vector<RulesetInfo>& infos() const { return infos_; }
  /// The rules to evaluate, in ruleset and rule order.
  const std::vector<CompiledRule>& rules() const { return rules_; }
  const std::vector<RuleGroup>& groups() const { return groups_; }
  uint64_t hash_seed() const { return hash_seed_; }
  /// Identity of the whole layout: equal only when every record means the same.
  uint64_t layout_hash() const { return layout_hash_; }

 private:
  friend class RulesetCompiler;
  CompiledRulesets() = default;

  std::vector<RulesetInfo> infos_;
  std::vector<CompiledRule> rules_;
  std::vector<RuleGroup> groups_;
  uint64_t hash_seed_ = 0;
  uint64_t layout_hash_ = 0;
};

}  // namespace caracal::agents
