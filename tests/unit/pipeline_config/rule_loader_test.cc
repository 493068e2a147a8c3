#include "pipeline/config/rule_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::ElementsAre;

/// The minimal configuration with these rules.
ConfigCase WithRules(const std::string& rules) {
  ConfigCase config = MinimalCase();
  config.files["rules.yaml"] = rules;
  return config;
}

std::string Ruleset(const std::string& rule) {
  return "version: 1\nrulesets:\n  - name: r\n    alert_above: 0\n    rules:\n      - " + rule +
         "\n";
}

TEST(RuleLoaderTest, ReadsEverythingARuleCanSay) {
  const LoadResult good = Load(WithRules(
      Ruleset("{id: many, version: 3, agent: velocity, key: [account, card_type], "
              "when: {card_type: [VISA, AMEX, VISA]}, score: 7, severity: critical, mode: \"off\", "
              "window: 1h30m, distinct: {attribute: card_type, max: 2}}")));
  ASSERT_TRUE(good.config.has_value()) << FindingText(good);
  const agents::RuleSpec& rule = good.config->rulesets[0].spec.rules[0];
  EXPECT_EQ(rule.version, 3);
  EXPECT_THAT(rule.key_suffix, ElementsAre("card_type"));
  ASSERT_EQ(rule.filters.size(), 1U);
  EXPECT_EQ(rule.filters[0].attribute, "card_type");
  EXPECT_THAT(rule.filters[0].values, ElementsAre("AMEX", "VISA"));
  EXPECT_EQ(rule.severity, agents::Severity::kCritical);
  EXPECT_EQ(rule.mode, agents::Mode::kOff);
  EXPECT_EQ(rule.parameters.DurationMicros("window"), 5'400'000'000);
  EXPECT_EQ(rule.parameters.Object("distinct").Integer("max"), 2);
  EXPECT_EQ(rule.parameters.Text("refunds"), "exclude");
}

TEST(RuleLoaderTest, BindsParametersOfEveryType) {
  const LoadResult result = Load(WithRules(
      Ruleset("{id: g, agent: geo, score: 1, deny: [KP, \"no\"], strict: true}\n"
              "      - {id: p, agent: amount, score: 1, above: 4000.50, profile: {ratio: 3.00}}")));
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const agents::Parameters& geo = result.config->rulesets[0].spec.rules[0].parameters;
  EXPECT_THAT(geo.TextList("deny"), ElementsAre("KP", "no"));
  EXPECT_TRUE(geo.Bool("strict"));
  const agents::Parameters& amount = result.config->rulesets[0].spec.rules[1].parameters;
  EXPECT_EQ(amount.DecimalValue("above"), (agents::Decimal{40'005, 1}));
  EXPECT_EQ(amount.Object("profile").Integer("history"), 50);
  EXPECT_EQ(amount.Object("profile").DecimalValue("ratio"), (agents::Decimal{3, 0}));
}

TEST(RuleLoaderTest, BoundsOfDecimalsAreExact) {
  EXPECT_TRUE(
      Load(WithRules(Ruleset("{id: a, agent: amount, score: 1, above: 0.00}"))).config.has_value());
  EXPECT_THAT(Findings(Load(WithRules(Ruleset("{id: a, agent: amount, score: 1, above: -0.01}")))),
              ElementsAre("rules.yaml:6:49 CFG015"));
  EXPECT_THAT(
      Findings(Load(WithRules(Ruleset("{id: a, agent: geo, score: 1, max_speed_kmh: 0.499}")))),
      ElementsAre("rules.yaml:6:54 CFG015"));
}

TEST(RuleLoaderTest, ListsComeFromTheFileOrFromAFileOfTheirOwn) {
  ConfigCase config = WithRules(
      "version: 1\n"
      "lists: {here: [KP, IR], there: {file: lists/there.txt}}\n" +
      Ruleset("{id: a, agent: geo, score: 1, deny: {list: here}}\n"
              "      - {id: b, agent: geo, score: 1, deny: {list: there}, "
              "when: {card_type: {list: here}}}")
          .substr(std::string("version: 1\n").size()));
  config.files["lists/there.txt"] = "# countries\n\n  SY  \r\nCU\n";
  const LoadResult result = Load(config);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const auto& rules = result.config->rulesets[0].spec.rules;
  EXPECT_THAT(rules[0].parameters.TextList("deny"), ElementsAre("KP", "IR"));
  EXPECT_THAT(rules[1].parameters.TextList("deny"), ElementsAre("SY", "CU"));
  EXPECT_THAT(rules[1].filters[0].values, ElementsAre("IR", "KP"));
}

TEST(RuleLoaderTest, RefusesToAddUpSeveralCurrencies) {
  ConfigCase config = WithRules(Ruleset("{id: p, agent: amount, score: 1, profile: {ratio: 3}}"));
  std::string& text = config.files["caracal.yaml"];
  text.replace(text.find("currency: EUR, fields: {"), 24, "fields: {currency: cur, ");
  EXPECT_THAT(Findings(Load(config)), ElementsAre("rules.yaml:6:9 RUL017"));

  for (const char* pinned : {"key: [account, currency]", "when: {currency: EUR}"}) {
    config.files["rules.yaml"] = Ruleset(
        std::string("{id: p, agent: amount, score: 1, profile: {ratio: 3}, ") + pinned + "}");
    EXPECT_TRUE(Load(config).config.has_value()) << pinned;
  }
  config.files["rules.yaml"] = Ruleset(
      "{id: p, agent: amount, score: 1, profile: {ratio: 3}, when: {currency: [EUR, USD]}}");
  EXPECT_THAT(Findings(Load(config)), ElementsAre("rules.yaml:6:9 RUL017"));
  config.files["rules.yaml"] = Ruleset("{id: p, agent: amount, score: 1, above: 5}");
  EXPECT_TRUE(Load(config).config.has_value()) << "a limit adds nothing up";
}

class TwoStreamsTest : public ::testing::Test {
 protected:
  TwoStreamsTest() : config_(MinimalCase()) {
    std::string& text = config_.files["caracal.yaml"];
    text.replace(text.find("alerts:"), 0,
                 "  - {topic: u, fields: {id: id, account: acc, device: dev}}\n");
  }

  ConfigCase config_;
};

TEST_F(TwoStreamsTest, ARulesetAppliesToAllStreamsUnlessItNamesSome) {
  const LoadResult all = Load(config_);
  ASSERT_TRUE(all.config.has_value()) << FindingText(all);
  ASSERT_EQ(all.config->rulesets.size(), 2U);
  EXPECT_EQ(all.config->rulesets[0].stream, 0U);
  EXPECT_EQ(all.config->rulesets[1].stream, 1U);
  EXPECT_NE(all.config->rulesets[0].spec.version, all.config->rulesets[1].spec.version);

  std::string& rules = config_.files["rules.yaml"];
  rules.replace(rules.find("    rules:"), 0, "    streams: [u]\n");
  const LoadResult one = Load(config_);
  ASSERT_TRUE(one.config.has_value()) << FindingText(one);
  ASSERT_EQ(one.config->rulesets.size(), 1U);
  EXPECT_EQ(one.config->rulesets[0].spec.version, all.config->rulesets[1].spec.version);
}

TEST_F(TwoStreamsTest, EachStreamIsCheckedByItself) {
  std::string& rules = config_.files["rules.yaml"];
  rules.replace(rules.find("score: 40"), 9, "score: 40, key: [account, device]");
  const LoadResult result = Load(config_);
  EXPECT_THAT(Findings(result), ElementsAre("rules.yaml:6:90 RUL016"));
  EXPECT_THAT(FindingText(result), ::testing::HasSubstr("stream 't' maps no attribute 'device'"));
}

TEST(RuleLoaderTest, AFileThatTwoPatternsMatchIsLoadedOnce) {
  ConfigCase config = MinimalCase();
  std::string& text = config.files["caracal.yaml"];
  text.replace(text.find("[rules.yaml]"), 12, "[\"*ules.yaml\", rules.yaml]");
  const LoadResult result = Load(config);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_EQ(result.config->rulesets.size(), 1U);
}

TEST(RuleLoaderTest, RulesetsOfSeveralFilesNeedDifferentNames) {
  ConfigCase config = MinimalCase();
  std::string& text = config.files["caracal.yaml"];
  text.replace(text.find("[rules.yaml]"), 12, "[\"*.yml\"]");
  config.files["a.yml"] = MinimalRules();
  config.files["b.yml"] = MinimalRules();
  const LoadResult result = Load(config);
  EXPECT_THAT(Findings(result), ElementsAre("b.yml:3:11 RUL010"));
  EXPECT_THAT(FindingText(result), ::testing::HasSubstr("exists already in a.yml"));
}

}  // namespace
}  // namespace caracal::pipeline
