#include "tests/scenario/scenario_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

/// Keys of an expected alert that are not fields of its JSON.
const std::set<std::string> kMessageKeys = {"record", "key", "headers"};

bool IsQuoted(const YAML::Node& node) { return node.Tag() == "!"; }

/// A JSON string equals a text, however it is written; a number equals the same number.
bool SameScalar(const YAML::Node& expected, const YAML::Node& actual) {
  if (!actual.IsScalar() || (IsQuoted(expected) && !IsQuoted(actual))) return false;
  if (expected.Scalar() == actual.Scalar()) return true;
  if (IsQuoted(actual)) return false;
  const auto number = [](const std::string& text) -> std::optional<double> {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' ? std::nullopt : std::optional<double>(value);
  };
  const std::optional<double> value = number(expected.Scalar());
  return value.has_value() && value == number(actual.Scalar());
}

std::string TextOf(const YAML::Node& node) {
  if (!node.IsDefined()) return "nothing";
  YAML::Emitter out;
  out.SetMapFormat(YAML::Flow);
  out.SetSeqFormat(YAML::Flow);
  out << node;
  return out.c_str();
}

/// The member of a mapping; undefined when there is none.
YAML::Node Member(const YAML::Node& node, const std::string& key) {
  const YAML::Node member = node.IsMap() ? node[key] : YAML::Node(YAML::NodeType::Undefined);
  return member.IsDefined() ? member : YAML::Node(YAML::NodeType::Undefined);
}

/// Finds where an alert differs from what was expected of it.
class AlertComparison {
 public:
  AlertComparison(const ExpectedAlert& expected, const ScenarioOutput& actual, Problems& problems)
      : expected_(expected), actual_(actual), problems_(problems) {}

  void Run() {
    const YAML::Node json = YAML::Load(actual_.value);
    for (const auto& entry : expected_.fields) {
      const std::string& name = entry.first.Scalar();
      if (!kMessageKeys.contains(name)) Compare(name, entry.second, Member(json, name));
    }
    const YAML::Node key = Member(expected_.fields, "key");
    if (key.IsDefined() && (actual_.null_key || key.Scalar() != actual_.key)) {
      Differ("key", key, YAML::Node(actual_.key));
    }
    YAML::Node headers;
    for (const auto& [name, value] : actual_.headers) headers[name] = value;
    const YAML::Node expected_headers = Member(expected_.fields, "headers");
    if (expected_headers.IsDefined()) Compare("headers", expected_headers, headers);
  }

 private:
  void Compare(const std::string& path, const YAML::Node& expected, const YAML::Node& actual) {
    if (expected.IsMap() && actual.IsMap()) {
      for (const auto& entry : expected) {
        const std::string& name = entry.first.Scalar();
        Compare(fmt::format("{}.{}", path, name), entry.second, Member(actual, name));
      }
    } else if (expected.IsSequence() && actual.IsSequence() && expected.size() == actual.size()) {
      for (size_t i = 0; i < expected.size(); ++i) {
        Compare(fmt::format("{}[{}]", path, i), expected[i], actual[i]);
      }
    } else if (expected.IsNull() ? actual.IsDefined()
                                 : !expected.IsScalar() || !SameScalar(expected, actual)) {
      Differ(path, expected, actual);
    }
  }

  void Differ(const std::string& path, const YAML::Node& expected, const YAML::Node& actual) {
    problems_.Add(expected,
                  fmt::format("record {}: {} should be {}, is {}", expected_.record, path,
                              expected.IsNull() ? "absent" : TextOf(expected), TextOf(actual)));
  }

  const ExpectedAlert& expected_;
  const ScenarioOutput& actual_;
  Problems& problems_;
};

void CheckAlerts(const Scenario& scenario, const ScenarioOutcome& outcome, Problems& problems) {
  std::vector<bool> expected_before(outcome.alerts.size());
  for (const ExpectedAlert& expected : scenario.alerts) {
    const YAML::Node ruleset = Member(expected.fields, "ruleset");
    size_t found = 0;
    for (; found < outcome.alerts.size(); ++found) {
      const ScenarioOutput& alert = outcome.alerts[found];
      if (expected_before[found] || alert.record != expected.record) continue;
      if (!ruleset.IsDefined()) break;
      if (SameScalar(ruleset, Member(YAML::Load(alert.value), "ruleset"))) break;
    }
    if (found == outcome.alerts.size()) {
      problems.Add(expected.mark, fmt::format("record {}: missing alert", expected.record));
      continue;
    }
    expected_before[found] = true;
    AlertComparison(expected, outcome.alerts[found], problems).Run();
  }
  for (size_t i = 0; i < outcome.alerts.size(); ++i) {
    if (expected_before[i]) continue;
    const ScenarioOutput& alert = outcome.alerts[i];
    problems.AddPlaced(fmt::format("record {}: unexpected alert {}", alert.record, alert.value));
  }
}

std::string ReasonOf(const ScenarioOutput& dead_letter) {
  for (const auto& [name, value] : dead_letter.headers) {
    if (name == "caracal-reason") return value;
  }
  return "";
}

void CheckDeadLetters(const Scenario& scenario, const ScenarioOutcome& outcome,
                      Problems& problems) {
  std::map<size_t, std::string> reasons;
  for (const ScenarioOutput& letter : outcome.dead_letters) {
    if (!reasons.emplace(letter.record, ReasonOf(letter)).second) {
      problems.AddPlaced(fmt::format("record {}: dead-lettered twice", letter.record));
    }
    const FakeRecord& record = scenario.records[letter.record].record;
    if (letter.key != record.key || letter.null_key != record.null_key ||
        letter.value != record.value || letter.null_value != record.null_value) {
      problems.AddPlaced(fmt::format("record {}: its dead letter is altered", letter.record));
    }
  }
  for (const ExpectedDeadLetter& expected : scenario.dead_letters) {
    const auto found = reasons.find(expected.record);
    const std::string actual = found == reasons.end() ? "none" : found->second;
    if (actual != expected.reason) {
      problems.Add(expected.mark, fmt::format("record {}: dead letter should be {}, is {}",
                                              expected.record, expected.reason, actual));
    }
    reasons.erase(expected.record);
  }
  for (const auto& [record, reason] : reasons) {
    problems.AddPlaced(fmt::format("record {}: unexpected dead letter {}", record, reason));
  }
}

/// Counts that are zero unless a scenario says otherwise.
bool IsStrict(const std::string& name) { return name == "warmed" || name.starts_with("skips."); }

void CheckCounts(const Scenario& scenario, const ScenarioOutcome& outcome, Problems& problems) {
  std::set<std::string> named;
  for (const ExpectedCount& expected : scenario.counts) {
    named.insert(expected.name);
    const auto actual = outcome.counts.find(expected.name);
    if (actual == outcome.counts.end()) {
      problems.Add(expected.mark, fmt::format("nothing is counted as {}", expected.name));
    } else if (actual->second != expected.value) {
      problems.Add(expected.mark, fmt::format("{} should be {}, is {}", expected.name,
                                              expected.value, actual->second));
    }
  }
  for (const auto& [name, value] : outcome.counts) {
    if (value == 0 || !IsStrict(name) || named.contains(name)) continue;
    problems.AddPlaced(fmt::format("{} is {}, the scenario does not say so", name, value));
  }
}

}  // namespace

void CheckOutcome(const Scenario& scenario, const ScenarioOutcome& outcome, Problems& problems) {
  CheckAlerts(scenario, outcome, problems);
  CheckDeadLetters(scenario, outcome, problems);
  CheckCounts(scenario, outcome, problems);
}

std::vector<std::string> ProblemsOf(const std::string& path, const std::string& text,
                                    const std::string& root) {
  Problems problems(path);
  const std::optional<Scenario> scenario = ReadScenario(path, text, root, problems);
  if (!scenario.has_value()) return problems.lines();
  std::optional<ScenarioOutcome> first;
  for (const uint32_t workers : {0U, 1U, 3U}) {
    for (const size_t batch : {size_t{1}, size_t{64}}) {
      absl::StatusOr<ScenarioOutcome> outcome = RunScenario(*scenario, {workers, batch});
      const std::string run = fmt::format("{} workers, batches of {}", workers, batch);
      if (!outcome.ok()) {
        problems.AddPlaced(fmt::format("{}: {}", run, agents::MessageOf(outcome.status())));
      } else if (!first.has_value()) {
        CheckOutcome(*scenario, *outcome, problems);
        first = *std::move(outcome);
      } else if (*first != *outcome) {
        problems.AddPlaced(fmt::format("{}: the results differ from those without workers", run));
      }
    }
  }
  return problems.lines();
}

}  // namespace caracal::pipeline
