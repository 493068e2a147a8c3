#include "agents/ruleset/rule_filter.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

#include "agents/api/check.h"

namespace caracal::agents {

RuleFilter::RuleFilter(const std::vector<AttributeFilter>& filters, const AttributeSchema& schema) {
  for (const AttributeFilter& filter : filters) {
    const std::optional<uint16_t> slot = schema.Find(filter.attribute);
    CHECK(slot.has_value());
    const std::set<std::string> values(filter.values.begin(), filter.values.end());
    conditions_.push_back({filter.attribute, *slot, {values.begin(), values.end()}});
  }
  std::sort(conditions_.begin(), conditions_.end(), [](const Condition& a, const Condition& b) {
    return std::tie(a.attribute, a.values) < std::tie(b.attribute, b.values);
  });
  conditions_.erase(std::unique(conditions_.begin(), conditions_.end()), conditions_.end());
}

bool RuleFilter::Matches(const Transaction& transaction) const {
  for (const Condition& condition : conditions_) {
    DCHECK(condition.slot < transaction.attributes.size());
    const std::string_view value = transaction.attributes[condition.slot];
    if (value.data() == nullptr) return false;
    if (!std::binary_search(condition.values.begin(), condition.values.end(), value)) return false;
  }
  return true;
}

bool RuleFilter::PinsOneValue(std::string_view attribute) const {
  return std::any_of(conditions_.begin(), conditions_.end(), [attribute](const Condition& c) {
    return c.attribute == attribute && c.values.size() == 1;
  });
}

void RuleFilter::AddTo(StateDigester& digester) const {
  digester.AddNumber(conditions_.size());
  for (const Condition& condition : conditions_) {
    digester.AddText(condition.attribute);
    digester.AddNumber(condition.values.size());
    for (const std::string& value : condition.values) digester.AddText(value);
  }
}

}  // namespace caracal::agents
