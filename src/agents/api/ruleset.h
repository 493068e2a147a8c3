#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/api/parameters.h"
#include "agents/api/transaction.h"
#include "agents/api/verdict.h"

/// Rulesets as data: what a rule file says (RulesetSpec), what the alert encoder needs to know of a
/// compiled one (RulesetInfo), and what an evaluation says of one event (Judgement).
namespace caracal::agents {

enum class Mode : uint8_t { kEnforce, kShadow, kOff };
enum class Severity : uint8_t { kLow, kMedium, kHigh, kCritical };
inline constexpr size_t kSeverityCount = 4;

std::string_view ModeName(Mode mode);              ///< "enforce", "shadow", "off"
std::string_view SeverityName(Severity severity);  ///< "low", "medium", "high", "critical"

/// The rule sees only transactions whose attribute has one of the values (exact text). Transactions
/// that do not match do not exist for the rule: no state, no newest time.
struct AttributeFilter {
  std::string attribute;
  std::vector<std::string> values;
};

/// A configured instance of an agent, as the rule file gives it.
struct RuleSpec {
  std::string id;
  int64_t version = 1;
  std::string agent;
  /// Attributes after the stream's key that the rule counts by: {} = the stream's key alone,
  /// {"card_type"} = per account and card type.
  std::vector<std::string> key_suffix;
  std::vector<AttributeFilter> filters;
  int32_t score = 0;
  Severity severity = Severity::kMedium;
  Mode mode = Mode::kEnforce;
  Parameters parameters;
};

/// A named set of rules whose scores add up; it alerts when the sum exceeds alert_above.
struct RulesetSpec {
  std::string name;
  /// 12 hex digits: the first 48 bits of the SHA-256 of the canonical text (see pipeline/config).
  std::string version;
  int32_t alert_above = 0;
  Mode mode = Mode::kEnforce;
  std::vector<RuleSpec> rules;
};

/// What an alert says of a rule besides its verdict.
struct RuleInfo {
  std::string id;
  int64_t version = 1;
  std::string agent;
  int32_t score = 0;
  Severity severity = Severity::kMedium;
  Mode mode = Mode::kEnforce;
  std::vector<std::string> reasons;  ///< names, indexed by Verdict::reason
  std::vector<ObservedField> observed;
  std::string limit_json;
};

struct RulesetInfo {
  std::string name;
  std::string version;  ///< RulesetSpec::version
  int32_t alert_above = 0;
  Mode mode = Mode::kEnforce;
  std::vector<RuleInfo> rules;
};

/// An enforced rule that raised on an event.
struct FiredRule {
  uint16_t rule = 0;  ///< index into RulesetInfo::rules
  Verdict verdict;
};

/// A ruleset that alerts on an event: the sum of its enforced rules' scores exceeds alert_above.
struct Judgement {
  uint32_t event = 0;    ///< index into the evaluated batch
  uint16_t ruleset = 0;  ///< index into the compiled rulesets
  int32_t score = 0;
  Severity severity = Severity::kLow;  ///< the highest of the rules in `fired`
  /// Some state of the key was evicted before: counts may be too low.
  bool state_truncated = false;
  std::vector<FiredRule> fired;  ///< in rule order; never a shadow rule
  /// Enforced rules whose agent had an error with the event, in rule order: the score may be too
  /// low (or too high, where such a rule's score is negative).
  std::vector<uint16_t> failed;
};

/// Appends what the rules after rule `rule_id` may name: its observed values but the constants.
void AddFeatures(std::string_view rule_id, const std::vector<ObservedField>& observed,
                 std::vector<FeatureSpec>& features);

}  // namespace caracal::agents
