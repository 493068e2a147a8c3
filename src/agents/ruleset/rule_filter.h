#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

/// Decides which transactions exist for a rule: those that meet all its attribute filters. A NULL
/// attribute meets none. Filters that mean the same (other order, a value listed twice) compare
/// equal, so that rules can share one. Immutable; any thread.
class RuleFilter {
 public:
  /// No filters: every transaction.
  RuleFilter() = default;
  /// Every attribute must be one of `schema` (CHECK).
  RuleFilter(const std::vector<AttributeFilter>& filters, const AttributeSchema& schema);

  bool Matches(const Transaction& transaction) const;
  bool matches_all() const { return conditions_.empty(); }
  /// The filter admits at most one value of that attribute.
  bool PinsOneValue(std::string_view attribute) const;
  /// Adds the filter's meaning (attribute names and values) to a digest.
  void AddTo(StateDigester& digester) const;

  friend bool operator==(const RuleFilter&, const RuleFilter&) = default;

 private:
  struct Condition {
    std::string attribute;
    uint16_t slot = 0;
    std::vector<std::string> values;  // sorted, distinct

    friend bool operator==(const Condition&, const Condition&) = default;
  };

  std::vector<Condition> conditions_;  // by attribute, then values
};

}  // namespace caracal::agents
