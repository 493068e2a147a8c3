#include "pipeline/observe/metric_family_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string_view>

namespace caracal::pipeline {
namespace {

/// Words that stand for a unit but not for a base unit, and the type names promtool refuses.
constexpr std::array<std::string_view, 24> kForbiddenWords = {
    "ns",           "us",           "ms",          "s",         "sec",       "secs",
    "milliseconds", "microseconds", "nanoseconds", "minutes",   "hours",     "days",
    "kb",           "mb",           "gb",          "kilobytes", "megabytes", "gigabytes",
    "bits",         "percent",      "pct",         "counter",   "gauge",     "histogram"};

constexpr std::array<std::string_view, 4> kReservedSuffixes = {"_total", "_count", "_sum",
                                                               "_bucket"};

bool IsLowerCaseName(std::string_view name) {
  if (name.empty() || name.front() < 'a' || name.front() > 'z' || name.back() == '_') return false;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return std::all_of(name.begin(), name.end(), allowed) &&
         name.find("__") == std::string_view::npos;
}

std::string ForbiddenWordProblem(std::string_view name) {
  while (!name.empty()) {
    const size_t end = std::min(name.find('_'), name.size());
    const std::string_view word = name.substr(0, end);
    if (std::find(kForbiddenWords.begin(), kForbiddenWords.end(), word) != kForbiddenWords.end()) {
      return fmt::format("'{}' is no base unit and no part of a name", word);
    }
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return {};
}

std::string SuffixProblem(std::string_view name, MetricType type) {
  const bool is_counter = type == MetricType::kCounter;
  if (is_counter && !name.ends_with("_total")) return "a counter ends in _total";
  for (const std::string_view suffix : kReservedSuffixes) {
    if (name.ends_with(suffix) && !(is_counter && suffix == "_total")) {
      return fmt::format("'{}' is reserved", suffix);
    }
  }
  if (type == MetricType::kHistogram && !name.ends_with("_seconds")) {
    return "a histogram of durations ends in _seconds";
  }
  return {};
}

std::string NameProblem(std::string_view name, MetricType type) {
  if (!name.starts_with("caracal_") && !name.starts_with("process_")) {
    return "the prefix is caracal_ or process_";
  }
  if (!IsLowerCaseName(name)) return "lower case, digits and single underscores only";
  if (std::string problem = SuffixProblem(name, type); !problem.empty()) return problem;
  return ForbiddenWordProblem(name);
}

std::string HelpProblem(std::string_view help) {
  if (help.empty()) return "help is missing";
  if (help.find_first_of("\n\\") != std::string_view::npos) {
    return "help is one line without backslashes";
  }
  return {};
}

std::string LabelProblem(const std::vector<std::string>& labels) {
  std::set<std::string_view> seen;
  for (const std::string& label : labels) {
    if (!IsLowerCaseName(label) || label == "le" || label == "quantile") {
      return fmt::format("'{}' is no label name", label);
    }
    if (!seen.insert(label).second) return fmt::format("label '{}' appears twice", label);
  }
  return {};
}

}  // namespace

std::string MetricSpecProblem(const MetricFamilySpec& spec) {
  std::string problem = NameProblem(spec.name, spec.type);
  if (problem.empty()) problem = HelpProblem(spec.help);
  if (problem.empty()) problem = LabelProblem(spec.labels);
  if (problem.empty()) return {};
  return fmt::format("metric '{}': {}", spec.name, problem);
}

}  // namespace caracal::pipeline
