#include "tests/unit/pipeline_config/config_fixture.h"

#include <algorithm>

#include <fmt/format.h>

#include "tests/unit/pipeline_config/fake_agents.h"

namespace caracal::pipeline {

std::string MinimalConfig() {
  return
      R"(kafka: {bootstrap_servers: "localhost:9092"}
streams:
  - {topic: t, currency: EUR, fields: {id: id, account: user_id, amount: amount, card_type: card}}
alerts: {topic: a}
dead_letters: {topic: d}
state: {topic: s}
rule_files: [rules.yaml]
)";
}

std::string MinimalRules() {
  return R"(version: 1
rulesets:
  - name: burst
    alert_above: 10
    rules:
      - {id: many, agent: velocity, window: 60s, max_count: 5, score: 40}
)";
}

ConfigCase MinimalCase() {
  ConfigCase config;
  config.files = {{"caracal.yaml", MinimalConfig()}, {"rules.yaml", MinimalRules()}};
  return config;
}

KafkaClientProperties FakeKafkaClient() {
  return {{"fetch.wait.max.ms", "linger.ms"},
          [](const std::string& name, const std::string& value) -> std::string {
            if (name == "fetch.wait.max.mss") return "no such property";
            return value == "a while" ? "no number" : "";
          }};
}

LoadResult Load(const ConfigCase& config) {
  std::map<std::string, FileContent> contents;
  for (const auto& [path, text] : config.files) {
    const bool exposed = std::find(config.world_readable.begin(), config.world_readable.end(),
                                   path) != config.world_readable.end();
    contents[path] = {text, exposed};
  }
  const MemoryFileReader files(std::move(contents));
  const agents::AgentRegistry registry = FakeAgents();
  LoadTools tools;
  tools.files = &files;
  tools.registry = &registry;
  tools.check_places = config.check_places;
  const KafkaClientProperties kafka = FakeKafkaClient();
  tools.kafka_properties = &kafka;
  return LoadConfig({"caracal.yaml", config.sets, config.environment}, tools);
}

std::vector<std::string> Findings(const LoadResult& result) {
  std::vector<std::string> findings;
  for (const Diagnostic& item : result.diagnostics.Sorted()) {
    findings.push_back(fmt::format("{}:{}:{} {}", result.diagnostics.SourceName(item.span.source),
                                   item.span.line, item.span.column, InfoOf(item.code).name));
  }
  return findings;
}

std::string FindingText(const LoadResult& result) {
  std::string text;
  const std::vector<std::string> findings = Findings(result);
  const std::vector<Diagnostic> items = result.diagnostics.Sorted();
  for (size_t i = 0; i < items.size(); ++i) {
    text += fmt::format("{} {} | {}\n", findings[i], items[i].message, items[i].hint);
  }
  return text;
}

}  // namespace caracal::pipeline
