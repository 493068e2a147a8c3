#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/config/config_loader.h"

namespace caracal::pipeline {

/// A configuration held in memory, loaded with FakeAgents().
struct ConfigCase {
  /// Path → text; "caracal.yaml" is the configuration.
  std::map<std::string, std::string> files;
  std::vector<std::string> sets;
  Environment environment;
  /// Files that everybody may read.
  std::vector<std::string> world_readable;
  PlaceTableCheck check_places;
};

/// The smallest good configuration, one line per section:
///
///   1 kafka: {bootstrap_servers: "localhost:9092"}
///   2 streams:
///   3   - {topic: t, currency: EUR, fields: {id: id, account: user_id, amount: amount, ...}}
///   4 alerts: {topic: a}
///   5 dead_letters: {topic: d}
///   6 state: {topic: s}
///   7 rule_files: [rules.yaml]
std::string MinimalConfig();
/// A good rule file: one ruleset of one velocity rule.
std::string MinimalRules();
/// Both of them, to be varied.
ConfigCase MinimalCase();

/// A client that knows no fetch.wait.max.mss and takes no value "a while".
KafkaClientProperties FakeKafkaClient();

LoadResult Load(const ConfigCase& config);
/// Every finding as "file:line:column CODE".
std::vector<std::string> Findings(const LoadResult& result);
/// Every finding as "file:line:column CODE message | hint".
std::string FindingText(const LoadResult& result);

}  // namespace caracal::pipeline
