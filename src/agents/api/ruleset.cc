#include "agents/api/ruleset.h"

namespace caracal::agents {

std::string_view ModeName(Mode mode) {
  switch (mode) {
    case Mode::kEnforce:
      return "enforce";
    case Mode::kShadow:
      return "shadow";
    case Mode::kOff:
      return "off";
  }
  return "unknown";
}

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kLow:
      return "low";
    case Severity::kMedium:
      return "medium";
    case Severity::kHigh:
      return "high";
    case Severity::kCritical:
      return "critical";
  }
  return "unknown";
}

void AddFeatures(std::string_view rule_id, const std::vector<ObservedField>& observed,
                 std::vector<FeatureSpec>& features) {
  for (const ObservedField& field : observed) {
    if (field.kind == ValueKind::kConstant) continue;
    features.push_back({std::string(rule_id) + "." + field.name, field.kind, field.slot});
  }
}

}  // namespace caracal::agents
