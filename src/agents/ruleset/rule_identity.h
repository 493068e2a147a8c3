#pragma once

#include <span>
#include <string_view>

#include "agents/api/agent.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "agents/ruleset/rule_key.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

/// A value of an earlier rule, and which rule says it.
struct FeatureIdentity {
  uint8_t slot = 0;      ///< index into Verdict::observed
  StateDigest observed;  ///< RuleIdentity::observed of that rule
};

/// What tells whether bytes and values made by a rule still mean the same after its text changed.
struct RuleIdentity {
  /// StateSlice::id; of no meaning for a stateless rule.
  StateDigest slice;
  /// Of the values the rule observes: covers its agent and the agent's version, its parameters
  /// (files by their digests), key and filters, its slice, and the values it builds on itself.
  StateDigest observed;
};

/// A rule that was bound to a stream. Refers to what it is made from.
struct BoundRuleView {
  std::string_view ruleset;
  const RuleSpec& spec;
  const AgentInfo& agent;
  const BoundRule& bound;
  const StreamContext& stream;
  /// As BoundRule::features.
  std::span<const FeatureIdentity> features;
};

/// The state of a rule that builds on others is a function of what those observe: it begins anew
/// when one of them is another rule, so that no state mixes the values of two. Any thread.
RuleIdentity IdentityOf(const BoundRuleView& rule);

}  // namespace caracal::agents
