#include "pipeline/demo/demo_config.h"

#include <utility>

#include <fmt/format.h>

namespace caracal::pipeline {
namespace {

constexpr const char* kConfig = R"(kafka:
  bootstrap_servers: "{0}"
  group_id: caracal-demo
  # The embedded broker answers a fetch only when its wait is over.
  consumer: {{properties: {{fetch.wait.max.ms: 10}}}}
streams:
  - topic: {1}
    key: user_id
    fields:
      id: id
      account: user_id
      amount: amount
      time: created_at
      merchant: merchant_id
      card_type: card_type
      country: country
      latitude: latitude
      longitude: longitude
      device: device
    amount_scale: 2
    currency: EUR
    # The demo's event time runs ahead of the wall clock.
    max_ahead: 7d
alerts: {{topic: {2}}}
dead_letters: {{topic: {3}}}
state: {{topic: caracal.state}}
engine: {{commit_interval: 50ms}}
delivery: at_least_once
rule_files: [rules.yaml]
admin: {{listen: "{4}"}}
)";

constexpr const char* kRules = R"(version: 1
rulesets:
  - name: cards
    alert_above: 40
    rules:
      - {id: burst, agent: velocity, window: 60s, max_count: 6, score: 50, severity: high}
      - id: big-ticket
        agent: amount
        profile: {history: 50, min_history: 3, ratio: 10, floor: "2000.00"}
        score: 50
        severity: high
      - id: impossible-travel
        agent: geo
        max_speed_kmh: 900
        min_distance_km: 100
        score: 50
        severity: critical
)";

}  // namespace

MemoryFileReader DemoFiles(const std::string& bootstrap_servers, const std::string& admin_listen) {
  std::map<std::string, FileContent> files;
  files["caracal.yaml"].text =
      fmt::format(fmt::runtime(kConfig), bootstrap_servers, kDemoSourceTopic, kDemoAlertTopic,
                  kDemoDeadLetterTopic, admin_listen);
  files["rules.yaml"].text = kRules;
  return MemoryFileReader(std::move(files));
}

}  // namespace caracal::pipeline
