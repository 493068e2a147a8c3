#include "pipeline/tools/recorded_rules.h"

#include <algorithm>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/snapshot/rules_manifest.h"
#include "pipeline/snapshot/state_key.h"
#include "pipeline/snapshot/state_topic_scan.h"

namespace caracal::pipeline {
namespace {

using RecordedRules = std::map<std::string, RecordedRuleset>;

void TakeText(const StateTopicRecord& record, const std::string& version, RecordedRules& rules) {
  if (record.value.data() == nullptr) return;
  RecordedRuleset& ruleset = rules[version];
  ruleset.canonical_json = std::string(record.value);
  // Every partition of a source has its own: the first of them is when it was first used.
  if (ruleset.first_seen_ms < 0 || record.timestamp_ms < ruleset.first_seen_ms) {
    ruleset.first_seen_ms = record.timestamp_ms;
  }
}

void TakeManifest(const StateTopicRecord& record, std::map<std::string, std::string>& names) {
  const absl::StatusOr<RulesManifest> manifest = ParseRulesManifest(record.value);
  if (!manifest.ok()) return;
  for (const RulesManifest::Ruleset& ruleset : manifest->rulesets) {
    names[ruleset.version] = ruleset.name;
  }
}

}  // namespace

absl::StatusOr<std::map<std::string, RecordedRuleset>> ReadRecordedRules(
    const LoadedConfig& loaded) {
  const KafkaConnection connection = ConnectionFromConfig(loaded);
  RecordedRules all;
  for (const auto& stream : loaded.config.streams()) {
    RecordedRules rules;
    std::map<std::string, std::string> names;
    RETURN_IF_ERROR(ScanStateTopic(connection, loaded.config.kafka().group_id(),
                                   stream.state_topic(), [&](const StateTopicRecord& record) {
                                     const StateKey key = ParseStateKey(record.key);
                                     if (key.kind == StateKeyKind::kRuleset)
                                       TakeText(record, key.name, rules);
                                     if (key.kind == StateKeyKind::kRules)
                                       TakeManifest(record, names);
                                   }));
    for (auto& [version, ruleset] : rules) {
      ruleset.topic = stream.topic();
      ruleset.name = names[version];
      all.insert_or_assign(version, std::move(ruleset));
    }
  }
  return all;
}

}  // namespace caracal::pipeline
