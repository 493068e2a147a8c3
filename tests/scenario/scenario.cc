#include "tests/scenario/scenario.h"

#include <fmt/format.h>

#include <utility>

#include "tests/scenario/scenario_config.h"

namespace caracal::pipeline {
namespace {

/// Reads what a scenario expects.
class ExpectationReader {
 public:
  ExpectationReader(Scenario& scenario, Problems& problems)
      : scenario_(scenario), problems_(problems) {}

  void Read(MapReader& root) {
    for (const YAML::Node& alert : root.List("alerts")) ReadAlert(alert);
    const YAML::Node letters = root.Take("dead_letters");
    MapReader(letters, "dead_letters", problems_);
    if (letters.IsMap()) {
      for (const auto& entry : letters) ReadDeadLetters(entry.first, entry.second);
    }
    ReadCounts(root.Take("skips"), "skips");
    const YAML::Node rules = root.Take("rules");
    MapReader(rules, "rules", problems_);
    if (rules.IsMap()) {
      for (const auto& entry : rules) {
        ReadCounts(entry.second, fmt::format("rules.{}", entry.first.Scalar()));
      }
    }
    ReadCount(root.Take("warmed"), "warmed");
    ReadCount(root.Take("key_mismatches"), "key_mismatches");
  }

 private:
  void ReadAlert(const YAML::Node& node) {
    const YAML::Node record = MapReader(node, "an alert", problems_).Take("record");
    if (!record.IsDefined()) return problems_.Add(node, "an alert names its 'record'");
    const std::optional<size_t> index = ReadRecord(record);
    if (index.has_value()) scenario_.alerts.push_back({*index, node.Mark(), node});
  }

  void ReadDeadLetters(const YAML::Node& reason, const YAML::Node& records) {
    if (!records.IsSequence()) {
      problems_.Add(reason, "the records that are dead-lettered are a list");
      return;
    }
    for (const YAML::Node& record : records) {
      const std::optional<size_t> index = ReadRecord(record);
      if (!index.has_value()) continue;
      scenario_.dead_letters.push_back({*index, record.Mark(), reason.Scalar()});
    }
  }

  void ReadCounts(const YAML::Node& node, const std::string& what) {
    MapReader(node, what, problems_);
    if (!node.IsMap()) return;
    for (const auto& entry : node) {
      ReadCount(entry.second, fmt::format("{}.{}", what, entry.first.Scalar()));
    }
  }

  void ReadCount(const YAML::Node& node, std::string name) {
    if (!node.IsDefined()) return;
    const std::optional<int64_t> value = ReadInteger(node, problems_);
    if (value.has_value()) scenario_.counts.push_back({std::move(name), node.Mark(), *value});
  }

  /// The record that a name or an index means.
  std::optional<size_t> ReadRecord(const YAML::Node& node) {
    if (!node.IsScalar()) {
      problems_.Add(node, "'record' is the index or the name of a record");
      return std::nullopt;
    }
    for (size_t i = 0; i < scenario_.records.size(); ++i) {
      if (scenario_.records[i].name == node.Scalar()) return i;
    }
    const std::optional<int64_t> index = ReadInteger(node, problems_);
    if (!index.has_value()) return std::nullopt;
    if (*index >= 0 && static_cast<size_t>(*index) < scenario_.records.size()) {
      return static_cast<size_t>(*index);
    }
    problems_.Add(node, fmt::format("there is no record {}: the first is 0, the last {}", *index,
                                    scenario_.records.size() - 1));
    return std::nullopt;
  }

  Scenario& scenario_;
  Problems& problems_;
};

}  // namespace

std::optional<Scenario> ReadScenario(const std::string& path, const std::string& text,
                                     const std::string& root, Problems& problems) {
  const std::optional<ScenarioDocument> document = ScenarioDocument::Parse(path, text, problems);
  if (!document.has_value()) return std::nullopt;
  MapReader map(document->root(), "a scenario", problems);
  if (map.Text("about").value_or("").empty()) {
    problems.Add(document->root(), "no 'about': say what the scenario shows");
  }
  // Read by name, elsewhere.
  for (const char* key : {"config", "lists", "rulesets", "defaults", "schema", "shape"}) {
    map.Take(key);
  }
  for (const char* key : {"set", "records"}) map.List(key);
  std::optional<ScenarioConfig> config = LoadScenarioConfig(*document, root, problems);
  if (!config.has_value()) return std::nullopt;
  Scenario scenario;
  scenario.records = ReadRecords(*document, *config, problems);
  scenario.options = std::move(config->options);
  ExpectationReader(scenario, problems).Read(map);
  map.Finish();
  if (!problems.empty()) return std::nullopt;
  return scenario;
}

}  // namespace caracal::pipeline
