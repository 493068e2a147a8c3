#include "agents/ruleset/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

using Texts = std::vector<std::string>;

RuleSpec WithMode(RuleSpec rule, Mode mode) {
  rule.mode = mode;
  return rule;
}

RuleSpec WithKey(RuleSpec rule, std::vector<std::string> suffix) {
  rule.key_suffix = std::move(suffix);
  return rule;
}

RuleSpec WithFilter(RuleSpec rule, AttributeFilter filter) {
  rule.filters.push_back(std::move(filter));
  return rule;
}

std::vector<TestEvent> Repeat(const TestEvent& event, int times) {
  return std::vector<TestEvent>(static_cast<size_t>(times), event);
}

TEST(EvaluatorTest, AlertsWhenTheSumOfScoresExceedsTheLimit) {
  TestEngine engine(
      CompileForTest({Ruleset("x", 50, {CountRule("burst", 2, 50), AboveRule("big", 100, 1)})}),
      {});
  engine.Evaluate({{.key = "k", .amount = 500},    // 1: only big
                   {.key = "k", .amount = 5},      // 2: only burst, 50 is not above 50
                   {.key = "k", .amount = 500}});  // 3: both
  EXPECT_EQ(engine.judgements(), (Texts{"2/0 51 0=3 1=500"}));
  EXPECT_THAT(engine.counts().rulesets[0].alerts, testing::ElementsAre(0, 1, 0, 0));
  EXPECT_EQ(engine.counts().rulesets[0].rules[0].fired, 2U);
  EXPECT_EQ(engine.counts().rulesets[0].rules[1].fired, 2U);
}

TEST(EvaluatorTest, AnAlertIsAsSevereAsTheMostSevereRuleThatFired) {
  RuleSpec burst = CountRule("burst", 2, 60);
  burst.severity = Severity::kCritical;
  RuleSpec big = AboveRule("big", 100, 60);
  big.severity = Severity::kLow;
  TestEngine engine(CompileForTest({Ruleset("x", 50, {burst, big})}), {});
  engine.Evaluate({{.key = "k", .amount = 500},    // big
                   {.key = "k", .amount = 500}});  // both
  EXPECT_THAT(engine.counts().rulesets[0].alerts, testing::ElementsAre(1, 0, 0, 1));
}

TEST(EvaluatorTest, NegativeScoresLowerTheSum) {
  TestEngine engine(
      CompileForTest({Ruleset("x", 0, {CountRule("trusted", 1, -10), AboveRule("big", 100, 10)})}),
      {});
  engine.Evaluate({{.key = "k", .amount = 500}});
  EXPECT_EQ(engine.judgements(), Texts{});
}

TEST(EvaluatorTest, OrdersJudgementsByEventThenRuleset) {
  TestEngine engine(CompileForTest({Ruleset("a", 0, {CountRule("r", 2, 1)}),
                                    Ruleset("b", 0, {CountRule("r", 1, 1)})}),
                    {});
  engine.Evaluate(Repeat({.key = "k"}, 3));
  EXPECT_EQ(engine.judgements(),
            (Texts{"0/1 1 0=1", "1/0 1 0=2", "1/1 1 0=2", "2/0 1 0=3", "2/1 1 0=3"}));
}

TEST(EvaluatorTest, ShadowRulesKeepStateAndCountsButAddNoScore) {
  TestEngine engine(CompileForTest({Ruleset("x", 0,
                                            {WithMode(CountRule("shadow", 1, 90), Mode::kShadow),
                                             CountRule("real", 2, 10)})}),
                    {});
  engine.Evaluate(Repeat({.key = "k"}, 2));
  EXPECT_EQ(engine.judgements(), (Texts{"1/0 10 1=2"}));
  EXPECT_EQ(engine.counts().rulesets[0].rules[0].fired, 2U);
  EXPECT_EQ(engine.counts().rulesets[0].rules[0].evaluations, 2U);
}

TEST(EvaluatorTest, ShadowRulesetsAlertLikeOthers) {
  RulesetSpec shadow = Ruleset("x", 0, {CountRule("r", 1, 1)});
  shadow.mode = Mode::kShadow;
  TestEngine engine(CompileForTest({shadow}), {});
  engine.Evaluate({{.key = "k"}});
  EXPECT_EQ(engine.judgements(), (Texts{"0/0 1 0=1"}));
}

TEST(EvaluatorTest, ModeOffIsNotEvaluated) {
  RulesetSpec off = Ruleset("off", 0, {CountRule("r", 1, 1)});
  off.mode = Mode::kOff;
  TestEngine engine(
      CompileForTest(
          {off,
           Ruleset("x", 0, {WithMode(CountRule("off", 1, 5), Mode::kOff), CountRule("on", 1, 1)})}),
      {});
  engine.Evaluate({{.key = "k"}});
  EXPECT_EQ(engine.judgements(), (Texts{"0/1 1 1=1"}));
  EXPECT_EQ(engine.counts().rulesets[0].rules[0].evaluations, 0U);
  EXPECT_EQ(engine.counts().rulesets[1].rules[0].evaluations, 0U);
}

TEST(EvaluatorTest, DuplicateRowsChangeNothingAndRaiseNothing) {
  TestEngine engine(CompileForTest({Ruleset("x", 0, {CountRule("r", 3, 1)})}), {});
  engine.Evaluate({{.key = "k", .row = 1},
                   {.key = "k", .row = 2},
                   {.key = "k", .row = 1},
                   {.key = "k", .row = 2},
                   {.key = "k", .row = 3},
                   {.key = "k", .row = std::nullopt},
                   {.key = "k", .row = std::nullopt}});
  EXPECT_EQ(engine.judgements(), (Texts{"4/0 1 0=3", "5/0 1 0=4", "6/0 1 0=5"}));
  EXPECT_EQ(engine.counts().duplicates, 2U);
  EXPECT_EQ(engine.counts().evaluated, 5U);
}

TEST(EvaluatorTest, WarmEventsChangeStateAndRaiseNothing) {
  TestEngine engine(CompileForTest({Ruleset("x", 0, {CountRule("r", 2, 1)})}), {});
  engine.Evaluate({{.key = "k", .row = 1, .raise = false},
                   {.key = "k", .row = 2, .raise = false},
                   {.key = "k", .row = 1},
                   {.key = "k", .row = 3}});
  EXPECT_EQ(engine.judgements(), (Texts{"3/0 1 0=3"}));
  EXPECT_EQ(engine.counts().warmed, 2U);
  EXPECT_EQ(engine.counts().duplicates, 1U);
  EXPECT_EQ(engine.counts().evaluated, 1U);
  EXPECT_EQ(engine.counts().rulesets[0].rules[0].evaluations, 1U);
}

TEST(EvaluatorTest, FilteredOutEventsDoNotExistForTheRule) {
  TestEngine engine(
      CompileForTest({Ruleset("x", 0, {WithFilter(CountRule("r", 2, 1), {"country", {"FR"}})})}),
      {});
  engine.Evaluate({{.key = "k", .country = "FR"},
                   {.key = "k", .country = "DE"},
                   {.key = "other", .country = std::nullopt},
                   {.key = "k", .country = "FR"}});
  EXPECT_EQ(engine.judgements(), (Texts{"3/0 1 0=2"}));
  EXPECT_EQ(engine.counts().rulesets[0].rules[0].evaluations, 2U);
  // No record is made for a key that no rule has seen.
  EXPECT_EQ(engine.bucket(0).keys(), 1U);
}

TEST(EvaluatorTest, CountsWhatAgentsFlag) {
  TestEngine engine(CompileForTest({Ruleset("x", 0, {CountRule("r", 1000, 1)})}), {});
  std::vector<TestEvent> events = Repeat({.key = "k"}, 102);
  events[0].amount = -1;
  events[1].amount = std::nullopt;
  events[2].amount = std::nullopt;
  engine.Evaluate(events);
  const RuleCounts& rule = engine.counts().rulesets[0].rules[0];
  EXPECT_EQ(rule.late, 1U);
  EXPECT_EQ(rule.inactive, 2U);
  EXPECT_EQ(rule.at_least, 2U);
  EXPECT_EQ(rule.evaluations, 102U);
}

TEST(EvaluatorTest, CompositeKeysCountApartAndNullIsAValueOfItsOwn) {
  TestEngine engine(
      CompileForTest({Ruleset("x", 0, {WithKey(CountRule("r", 2, 1), {"merchant", "country"})})}),
      {});
  engine.Evaluate({{.key = "k", .merchant = "m", .country = "c"},
                   {.key = "k", .merchant = "mc", .country = ""},
                   {.key = "k", .merchant = "", .country = "mc"},
                   {.key = "k", .merchant = std::nullopt, .country = "mc"},
                   {.key = "k2", .merchant = "m", .country = "c"},
                   {.key = "k", .merchant = std::nullopt, .country = "mc"},
                   {.key = "k", .merchant = "a merchant with a long name", .country = "c"},
                   {.key = "k", .merchant = "a merchant with a long name", .country = "c"}});
  EXPECT_EQ(engine.judgements(), (Texts{"5/0 1 0=2", "7/0 1 0=2"}));
  EXPECT_EQ(engine.bucket(0).keys(), 6U);
}

TEST(EvaluatorTest, OneRecordServesAllRulesOfAKey) {
  TestEngine engine(CompileForTest({Ruleset("x", 0, {CountRule("a", 1, 1), CountRule("b", 1, 1)}),
                                    Ruleset("y", 0, {CountRule("a", 1, 1)})}),
                    {});
  engine.Evaluate({{.key = "k"}});
  EXPECT_EQ(engine.bucket(0).keys(), 1U);
}

TEST(EvaluatorTest, StatelessRulesNeedNoRecord) {
  TestEngine engine(CompileForTest({Ruleset("x", 0, {AboveRule("r", 10, 1)})}), {});
  engine.Evaluate({{.key = "k", .amount = 11}});
  EXPECT_EQ(engine.judgements(), (Texts{"0/0 1 0=11"}));
  EXPECT_EQ(engine.bucket(0).keys(), 0U);
  EXPECT_EQ(engine.bucket(0).bytes(), 0U);
}

TEST(EvaluatorTest, AnEmptyBatchYieldsNothing) {
  TestEngine engine(CompileForTest({Ruleset("x", 0, {CountRule("r", 1, 1)})}), {});
  engine.Evaluate(std::vector<TestEvent>{});
  EXPECT_EQ(engine.judgements(), Texts{});
}

std::optional<std::string> RandomText(std::mt19937& random, const char* prefix) {
  if (random() % 8 == 0) return std::nullopt;
  return prefix + std::to_string(random() % 4);
}

std::vector<TestEvent> RandomEvents(std::mt19937& random, size_t count) {
  std::vector<TestEvent> events;
  for (size_t i = 0; i < count; ++i) {
    TestEvent event;
    const uint64_t account = random() % 60 * (random() % 2 == 0 ? 1 : 1'000'000'007);
    event.key = "account" + std::to_string(account);
    event.merchant = RandomText(random, "merchant");
    event.country = RandomText(random, "c");
    event.time_us = static_cast<int64_t>(i / 4 + random() % 100);
    event.amount = static_cast<int64_t>(random() % 200);
    // A row belongs to one account, as it does in a table.
    if (random() % 5 != 0) event.row = account * count + random() % 50;
    event.raise = random() % 6 != 0;
    events.push_back(event);
  }
  return events;
}

std::vector<RulesetSpec> RandomStreamRulesets() {
  return {Ruleset("a", 15,
                  {CountRule("plain", 5, 10), AboveRule("big", 150, 10),
                   WithKey(CountRule("by-merchant", 3, 10), {"merchant"}),
                   WithMode(CountRule("shadow", 2, 1000), Mode::kShadow)}),
          Ruleset("b", 0,
                  {WithFilter(CountRule("some", 4, 7), {"country", {"c0", "c2"}}),
                   WithFilter(WithKey(CountRule("both", 2, -3), {"country", "merchant"}),
                              {"merchant", {"merchant1"}})})};
}

/// The rulesets of RandomStreamRulesets, written down a second time.
Texts ExpectedJudgements(const std::vector<TestEvent>& events) {
  std::map<
      std::tuple<std::string, std::string, std::optional<std::string>, std::optional<std::string>>,
      int>
      counts;
  std::set<uint64_t> rows;
  Texts judgements;
  for (size_t i = 0; i < events.size(); ++i) {
    const TestEvent& event = events[i];
    if (event.row.has_value() && !rows.insert(*event.row).second) continue;
    const int plain = ++counts[{"plain", event.key, {}, {}}];
    const int by_merchant = ++counts[{"by-merchant", event.key, event.merchant, {}}];
    int score = 0;
    std::string fired;
    const auto fire = [&](int rule, int rule_score, int64_t observed) {
      score += rule_score;
      fired += " " + std::to_string(rule) + "=" + std::to_string(observed);
    };
    const auto judge = [&](const std::string& ruleset, int alert_above) {
      if (score > alert_above && event.raise) {
        judgements.push_back(std::to_string(i) + ruleset + std::to_string(score) + fired);
      }
      score = 0;
      fired.clear();
    };
    if (plain >= 5) fire(0, 10, plain);
    if (*event.amount > 150) fire(1, 10, *event.amount);
    if (by_merchant >= 3) fire(2, 10, by_merchant);
    judge("/0 ", 15);
    if (event.country == "c0" || event.country == "c2") {
      const int some = ++counts[{"some", event.key, {}, {}}];
      if (some >= 4) fire(0, 7, some);
    }
    if (event.merchant == "merchant1") {
      const int both = ++counts[{"both", event.key, event.merchant, event.country}];
      if (both >= 2) fire(1, -3, both);
    }
    judge("/1 ", 0);
  }
  return judgements;
}

TEST(EvaluatorTest, AgreesWithAPlainEvaluationForEveryBatchSplit) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const std::vector<TestEvent> events = RandomEvents(random, 1500);
    const Texts expected = ExpectedJudgements(events);
    EXPECT_GT(expected.size(), 100U);
    const auto rulesets = CompileForTest(RandomStreamRulesets());
    std::optional<std::vector<StateDigest>> digests;
    for (const size_t batch_size : {1, 64, 65, 1500, 0}) {
      TestEngine engine(rulesets, {}, /*buckets=*/5);
      engine.Evaluate(events, batch_size, random);
      ASSERT_EQ(engine.judgements(), expected) << "batches of " << batch_size;
      if (!digests.has_value()) digests = engine.Digests();
      ASSERT_EQ(engine.Digests(), *digests) << "batches of " << batch_size;
    }
  }
}

TEST(EvaluatorTest, JudgementsDoNotDependOnTheNumberOfBuckets) {
  constexpr uint32_t kSeed = 77;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::vector<TestEvent> events = RandomEvents(random, 1000);
  const Texts expected = ExpectedJudgements(events);
  for (const size_t buckets : {1, 2, 64}) {
    TestEngine engine(CompileForTest(RandomStreamRulesets()), {}, buckets);
    engine.Evaluate(events, 0, random);
    EXPECT_EQ(engine.judgements(), expected) << buckets << " buckets";
    EXPECT_GT(engine.counts().duplicates, 50U);
  }
}

}  // namespace
}  // namespace caracal::agents
