#include "pipeline/config/canonical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "pipeline/base/sha256.h"
#include "pipeline/config/reference_docs.h"
#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A configuration that says most things, once...
constexpr const char* kConfig = R"(kafka: {bootstrap_servers: "localhost:9092"}
streams:
  - topic: t
    currency: EUR
    fields: {id: id, account: user_id, amount: amount, card_type: card, attributes: {b: x, a: y}}
    max_ahead: 1h30m
alerts: {topic: a}
dead_letters: {topic: d}
state: {topic: s, max_bytes_per_partition: 1GiB, hash_seed: "0123456789abcdef"}
rule_files: [rules.yaml]
)";
constexpr const char* kRules = R"(version: 1
lists: {kinds: [VISA, AMEX]}
rulesets:
  - name: r
    alert_above: 10
    rules:
      - {id: v, agent: velocity, window: 60s, max_count: 5, score: 40,
         key: [account, card_type], when: {card_type: {list: kinds}, a: [q, p]}}
      - {id: a, agent: amount, above: "4000.00", profile: {ratio: "3.10", floor: 5},
         score: 50, severity: high}
)";
// ... and the same, written differently.
constexpr const char* kSameConfig = R"(# A comment.
rule_files:
  - rules.yaml
state:
  {hash_seed: "0123456789abcdef", max_bytes_per_partition: 1024MiB, buckets: 64, topic: other}
dead_letters: {topic: d}
delivery: at_least_once
alerts: {topic: other-alerts}
streams:
  - fields:
      attributes: {a: "y", b: 'x'}
      card_type: card
      amount: amount
      account: user_id
      id: id
    key: user_id
    max_ahead: 90m   # another unit
    currency: "EUR"
    start: {from: latest, alert_from: now}
    ops: {u: skip}
    topic: t
kafka: {group_id: other, bootstrap_servers: "elsewhere:9092"}
)";
constexpr const char* kSameRules = R"(rulesets:
  - rules:
      - agent: velocity
        description: Text.
        max_count: 5
        refunds: exclude
        id: v
        when: {a: [p, q, p], card_type: {list: kinds}}
        key: [account, card_type]
        score: 40
        mode: enforce
        window: 1m
      - {severity: high, score: 50, profile: {history: 50, floor: "5.00", ratio: 3.1},
         above: 4000, agent: amount, id: a, version: 1}
    alert_above: 10
    name: r
lists:
  kinds: {file: kinds.txt}
version: 1
)";

ConfigCase Case(const std::string& config, const std::string& rules) {
  ConfigCase item;
  item.files = {{"caracal.yaml", config}, {"rules.yaml", rules}, {"kinds.txt", "VISA\nAMEX\n"}};
  return item;
}

std::string CanonicalOf(const ConfigCase& item) {
  const LoadResult result = Load(item);
  EXPECT_TRUE(result.config.has_value()) << FindingText(result);
  return result.config.has_value() ? result.config->rulesets[0].canonical_json : "";
}

// The text is a contract: versions are hashes of it, and they stand in alerts and offsets.
constexpr const char* kGolden =
    R"({"alert_above":10,"canonical_version":1,)"
    R"("lists":{"kinds":{"count":2,)"
    R"("sha256":"3c2c9aa773461e5a081014df17a47fc8cafa953f771456a0bb7775e12b37cd42"}},)"
    R"("mode":"enforce","name":"r","rules":[)"
    R"({"agent":"velocity","agent_version":"1.0.0","id":"v","key":["account","card_type"],)"
    R"("mode":"enforce","parameters":{"max_count":5,"refunds":"exclude","window":"1m"},)"
    R"("score":40,"severity":"medium","version":1,)"
    R"("when":{"a":["p","q"],"card_type":{"list":"kinds"}}},)"
    R"({"agent":"amount","agent_version":"1.0.0","id":"a","key":["account"],)"
    R"("mode":"enforce","parameters":{"above":"4000.00",)"
    R"("profile":{"floor":"5.00","history":50,"ratio":"3.1"}},)"
    R"("score":50,"severity":"high","version":1,"when":{}}],)"
    R"("state":{"buckets":64,"hash_seed_fingerprint":"9f9f5111",)"
    R"("max_bytes_per_partition":"1GiB","rows_per_bucket":16384},)"
    R"("stream":{"amount_scale":2,"currency":"EUR",)"
    R"("fields":{"account":"user_id","amount":"amount","attributes":{"a":"y","b":"x"},)"
    R"("card_type":"card","id":"id"},"format":"auto","key":"user_id",)"
    R"("max_ahead":"90m","max_record_bytes":"1MiB",)"
    R"("ops":{"c":"evaluate","d":"skip","r":"warm","u":"skip"},"topic":"t",)"
    R"("types":{"amount":"auto","time":"auto"}}})";

TEST(CanonicalTest, HasAFixedText) { EXPECT_EQ(CanonicalOf(Case(kConfig, kRules)), kGolden); }

TEST(CanonicalTest, DoesNotDependOnHowTheConfigurationIsWritten) {
  EXPECT_EQ(CanonicalOf(Case(kSameConfig, kSameRules)), CanonicalOf(Case(kConfig, kRules)));
}

TEST(CanonicalTest, VersionIsTheStartOfItsHash) {
  const LoadResult result = Load(Case(kConfig, kRules));
  const LoadedRuleset& ruleset = result.config->rulesets[0];
  EXPECT_EQ(ruleset.spec.version, Sha256Hex(ruleset.canonical_json).substr(0, 12));
  EXPECT_EQ(ListCanonicalRulesets(*result.config), ruleset.canonical_json + "\n");
}

TEST(CanonicalTest, NeverHoldsTheSeed) {
  EXPECT_THAT(CanonicalOf(Case(kConfig, kRules)), Not(HasSubstr("0123456789abcdef")));
}

TEST(CanonicalTest, ChangesWithWhateverDecidesAlerts) {
  const std::vector<std::pair<std::string, std::string>> edits = {
      {"currency: EUR", "currency: USD"},
      {"max_ahead: 1h30m", "max_ahead: 2h"},
      {"a: y", "a: z"},
      {"1GiB", "2GiB"},
      {"0123456789abcdef", "0123456789abcdeg"},
      {"topic: s,", "topic: s, buckets: 32,"},
      {"topic: s,", "topic: s, rows_per_bucket: 256,"},
      {"    max_ahead", "    ops: {u: evaluate}\n    max_ahead"},
      {"    max_ahead", "    format: row-json\n    max_ahead"},
      {"    max_ahead", "    types: {time: us}\n    max_ahead"},
      {"    max_ahead", "    amount_scale: 3\n    max_ahead"},
      {"    max_ahead", "    max_record_bytes: 2MiB\n    max_ahead"},
      {"alert_above: 10", "alert_above: 11"},
      {"window: 60s", "window: 61s"},
      {"score: 40", "score: 41"},
      {"[account, card_type]", "account"},
      {"VISA, AMEX", "VISA"},
      {"a: [q, p]", "a: [q]"},
      {"severity: high", "severity: low"},
      {"score: 50", "score: 50, version: 2"},
      {"score: 50", "score: 50, mode: shadow"},
  };
  std::set<std::string> texts = {CanonicalOf(Case(kConfig, kRules))};
  for (const auto& [from, to] : edits) {
    ConfigCase item = Case(kConfig, kRules);
    bool replaced = false;
    for (auto& [path, text] : item.files) {
      const size_t at = text.find(from);
      if (at == std::string::npos || replaced) continue;
      text.replace(at, from.size(), to);
      replaced = true;
    }
    ASSERT_TRUE(replaced) << from;
    EXPECT_TRUE(texts.insert(CanonicalOf(item)).second) << to;
  }
}

TEST(CanonicalTest, ChangesWithThePlaceTable) {
  std::string config = kConfig;
  config.replace(config.find("id: id"), 6, "id: id, merchant: m");
  config.replace(config.find("    max_ahead"), 0, "    places: {file: places.csv}\n");
  ConfigCase item = Case(config, kRules);
  item.files["places.csv"] = "merchant,latitude,longitude\n1,2,3\n";
  const std::string before = CanonicalOf(item);
  EXPECT_THAT(before, HasSubstr(Sha256Hex(item.files["places.csv"])));
  item.files["places.csv"] = "merchant,latitude,longitude\n1,2,4\n";
  EXPECT_NE(CanonicalOf(item), before);
}

}  // namespace
}  // namespace caracal::pipeline
