#include <algorithm>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/config/parameter_binder.h"
#include "pipeline/config/suggestion.h"
#include "pipeline/config/text_form.h"

/// The text forms of single parameter values.
namespace caracal::pipeline {
namespace {

using agents::Decimal;
using agents::ParameterSpec;
using agents::ParameterType;
using agents::ParameterValue;
using Problem = std::optional<ValueProblem>;

ValueProblem WrongType(const std::string& path, const std::string& text,
                       std::string_view expected) {
  return {DiagnosticCode::kWrongType,
          fmt::format("'{}' must be {}, not '{}'", path, expected, text)};
}

std::optional<ParameterValue> ParseTyped(const ParameterSpec& spec, const std::string& text,
                                         const std::string& path, Problem& problem) {
  switch (spec.type) {
    case ParameterType::kBool:
      if (text == "true" || text == "false") return ParameterValue(text == "true");
      problem = WrongType(path, text, "true or false");
      return std::nullopt;
    case ParameterType::kInteger:
      if (const std::optional<int64_t> number = ParseInteger(text)) return ParameterValue(*number);
      problem = WrongType(path, text, "a whole number");
      return std::nullopt;
    case ParameterType::kDecimal:
    case ParameterType::kMoney: {
      const absl::StatusOr<Decimal> decimal = agents::ParseDecimal(text);
      if (decimal.ok()) return ParameterValue(Normalized(*decimal));
      problem = WrongType(path, text, "a decimal number like 12.50");
      return std::nullopt;
    }
    case ParameterType::kDuration: {
      if (ParseInteger(text).has_value()) {
        problem = {DiagnosticCode::kMissingUnit, fmt::format("'{}' needs a unit", path),
                   fmt::format("write {0}s, {0}m, {0}h or {0}d", text)};
        return std::nullopt;
      }
      const absl::StatusOr<int64_t> micros = agents::ParseDuration(text);
      if (micros.ok()) return ParameterValue(*micros);
      problem = WrongType(path, text, "a duration like 60s, 1h30m or 7d");
      return std::nullopt;
    }
    default:
      return ParameterValue(text);
  }
}

/// -1, 0, 1 as a < b, a == b, a > b; 0 for types without an order.
int Compare(const ParameterValue& a, const ParameterValue& b) {
  if (const auto* left = std::get_if<int64_t>(&a)) {
    const auto* right = std::get_if<int64_t>(&b);
    return right == nullptr || *left == *right ? 0 : (*left < *right ? -1 : 1);
  }
  const auto* left = std::get_if<Decimal>(&a);
  const auto* right = std::get_if<Decimal>(&b);
  if (left == nullptr || right == nullptr) return 0;
  __int128 x = left->unscaled;
  __int128 y = right->unscaled;
  for (int i = 0; i < right->scale; ++i) x *= 10;
  for (int i = 0; i < left->scale; ++i) y *= 10;
  return x == y ? 0 : (x < y ? -1 : 1);
}

Problem CheckBound(const ParameterSpec& spec, const std::string& text, const std::string& path,
                   const ParameterValue& value, const std::string& bound_text, bool is_min) {
  Problem problem;
  const std::optional<ParameterValue> bound = ParseTyped(spec, bound_text, path, problem);
  if (!bound.has_value()) {
    return ValueProblem{
        DiagnosticCode::kParameterRefused,
        fmt::format("the agent declares '{}' with the bound '{}', which is not valid", path,
                    bound_text),
        "report it to the author of the agent"};
  }
  const int order = Compare(value, *bound);
  if (is_min ? order >= 0 : order <= 0) return std::nullopt;
  return ValueProblem{DiagnosticCode::kOutOfBounds,
                      fmt::format("'{}' must be at {} {}, not {}", path, is_min ? "least" : "most",
                                  bound_text, text)};
}

Problem CheckText(const ParameterSpec& spec, const std::string& text, const std::string& path) {
  if (const std::optional<std::string> bad =
          TextFormProblem(caracal::config::v1::TEXT_FORM_ANY, text)) {
    return ValueProblem{DiagnosticCode::kMalformedText, fmt::format("'{}' {}", path, *bad)};
  }
  if (spec.pattern != nullptr && !spec.pattern->Matches(text)) {
    return ValueProblem{DiagnosticCode::kMalformedText,
                        fmt::format("'{}' must match the pattern {}, '{}' does not", path,
                                    spec.pattern->text(), text)};
  }
  if (spec.choices.empty() ||
      std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end()) {
    return std::nullopt;
  }
  return ValueProblem{DiagnosticCode::kNotAChoice,
                      fmt::format("'{}' must be {}, not '{}'", path, ListText(spec.choices), text),
                      DidYouMean(text, spec.choices)};
}

std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> items;
  size_t start = 0;
  while (start < text.size()) {
    const size_t comma = std::min(text.find(',', start), text.size());
    items.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return items;
}

}  // namespace

std::optional<ParameterValue> ParseParameter(const ParameterSpec& spec, const std::string& text,
                                             const std::string& path, Problem& problem) {
  if (spec.type == ParameterType::kTextList) {
    std::vector<std::string> items = SplitList(text);
    for (const std::string& item : items) {
      if ((problem = CheckText(spec, item, path))) return std::nullopt;
    }
    return ParameterValue(std::move(items));
  }
  std::optional<ParameterValue> value = ParseTyped(spec, text, path, problem);
  if (!value.has_value()) return std::nullopt;
  const bool is_text = spec.type == ParameterType::kText || spec.type == ParameterType::kFile;
  if (is_text) problem = CheckText(spec, text, path);
  if (!problem.has_value() && spec.min_text.has_value()) {
    problem = CheckBound(spec, text, path, *value, *spec.min_text, true);
  }
  if (!problem.has_value() && spec.max_text.has_value()) {
    problem = CheckBound(spec, text, path, *value, *spec.max_text, false);
  }
  if (problem.has_value()) return std::nullopt;
  return value;
}

Decimal Normalized(Decimal value) {
  while (value.scale > 0 && value.unscaled % 10 == 0) {
    value.unscaled /= 10;
    --value.scale;
  }
  return value;
}

std::string TypeText(const ParameterSpec& spec) {
  const std::string choices = fmt::to_string(fmt::join(spec.choices, ", "));
  switch (spec.type) {
    case ParameterType::kBool:
      return "bool";
    case ParameterType::kInteger:
      return "integer";
    case ParameterType::kDecimal:
      return "decimal";
    case ParameterType::kMoney:
      return "money";
    case ParameterType::kDuration:
      return "duration";
    case ParameterType::kText:
      return choices.empty() ? "text" : "one of " + choices;
    case ParameterType::kTextList:
      return choices.empty() ? "list of text" : "list of " + choices;
    case ParameterType::kObject:
      return "section";
    case ParameterType::kFile:
      return "file";
    case ParameterType::kFileList:
      return "list of files";
  }
  return "text";
}

}  // namespace caracal::pipeline
