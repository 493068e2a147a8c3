#include "agents/ruleset/compiled_rulesets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> ProblemsOf(const std::vector<RulesetSpec>& specs,
                                    const StreamContext& stream = TestStreamContext()) {
  AgentRegistry registry;
  RegisterTestAgents(registry);
  std::vector<CompileProblem> problems;
  const auto compiled = CompiledRulesets::Compile(specs, registry, stream, {}, &problems);
  EXPECT_EQ(compiled.ok(), problems.empty());
  std::vector<std::string> texts;
  for (const CompileProblem& problem : problems) texts.push_back(problem.Text());
  return texts;
}

StreamContext MixedCurrencies() {
  StreamContext stream = TestStreamContext();
  stream.currency = "";
  return stream;
}

RuleSpec MoneyRule() {
  RuleSpec rule = CountRule("sum", 2, 10);
  rule.parameters.Set("money", true);
  return rule;
}

RuleSpec StateRule(std::string id, int64_t bytes, int64_t align) {
  RuleSpec rule = CountRule(std::move(id), 2, 10);
  rule.parameters.Set("state_bytes", bytes);
  rule.parameters.Set("state_align", align);
  return rule;
}

/// Slices by "ruleset/rule".
std::map<std::string, StateSlice> SlicesOf(const CompiledRulesets& compiled) {
  std::map<std::string, StateSlice> slices;
  for (const KeyGroup& group : compiled.layout().groups) {
    for (const StateSlice& slice : group.slices) {
      const RulesetInfo& info = compiled.infos()[slice.ruleset];
      slices[info.name + "/" + info.rules[slice.rule].id] = slice;
    }
  }
  return slices;
}

TEST(CompiledRulesetsTest, RefusesUnknownAgentsAndNamesTheKnownOnes) {
  RuleSpec rule = CountRule("r", 1, 1);
  rule.agent = "velcity";
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {rule})}),
              ElementsAre("ruleset 'x', rule 'r': there is no agent 'velcity'; there are: above, "
                          "count"));
}

TEST(CompiledRulesetsTest, RefusesUnmappedAttributesAndNamesTheMappedOnes) {
  RuleSpec by_device = CountRule("by-device", 1, 1);
  by_device.key_suffix = {"device"};
  RuleSpec only_pos = CountRule("only-pos", 1, 1);
  only_pos.filters = {{"channel", {"pos"}}};
  EXPECT_THAT(
      ProblemsOf({Ruleset("x", 0, {by_device, only_pos})}),
      ElementsAre("ruleset 'x', rule 'by-device': key attribute 'device' is not mapped by stream "
                  "'bank.public.transactions' (mapped: merchant, country, currency); map it under "
                  "the stream's fields or correct the name",
                  HasSubstr("ruleset 'x', rule 'only-pos': filter attribute 'channel'")));
}

TEST(CompiledRulesetsTest, SaysNoneWhenTheStreamMapsNoAttribute) {
  RuleSpec rule = CountRule("r", 1, 1);
  rule.key_suffix = {"device"};
  StreamContext stream;
  stream.topic = "t";
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {rule})}, stream),
              ElementsAre(HasSubstr("(mapped: none)")));
}

TEST(CompiledRulesetsTest, RefusesFiltersWithoutValuesAndKeysNamedTwice) {
  RuleSpec rule = CountRule("r", 1, 1);
  rule.filters = {{"country", {}}};
  rule.key_suffix = {"merchant", "merchant"};
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {rule})}),
              ElementsAre(HasSubstr("key names attribute 'merchant' twice"),
                          HasSubstr("filter on 'country' lists no value")));
}

TEST(CompiledRulesetsTest, ReportsAllProblemsInOneRun) {
  RuleSpec bad_score = AboveRule("bad-score", 1, CompiledRulesets::kMaxScore + 1);
  RuleSpec low_score = AboveRule("low-score", 1, -CompiledRulesets::kMaxScore - 1);
  RuleSpec refused = AboveRule("refused", -1, 1);
  RuleSpec nameless = CountRule("", 1, 1);
  const std::vector<RulesetSpec> specs = {
      Ruleset("x", 0, {bad_score, low_score, refused, CountRule("refused", 1, 1), nameless}),
      Ruleset("x", 0, {CountRule("r", 1, 1)}), Ruleset("empty", 0, {}),
      Ruleset("", -1, {CountRule("r", 1, 1)})};
  EXPECT_THAT(
      ProblemsOf(specs),
      ElementsAre("ruleset 'x', rule 'bad-score': score is 1000001; use a value between "
                  "-1000000 and 1000000",
                  HasSubstr("rule 'low-score': score is -1000001"),
                  "ruleset 'x', rule 'refused': limit: must not be negative",
                  HasSubstr("rule 'refused': another rule of this ruleset has the same id"),
                  "ruleset 'x': a rule needs an id",
                  HasSubstr("ruleset 'x': another ruleset of this stream has the same name"),
                  "ruleset 'empty': has no rules; add one or remove the ruleset",
                  "ruleset '': a ruleset needs a name",
                  HasSubstr("ruleset '': alert_above is -1")));
}

TEST(CompiledRulesetsTest, StatusHoldsOneProblemPerLine) {
  AgentRegistry registry;
  RegisterTestAgents(registry);
  const std::vector<RulesetSpec> specs = {Ruleset("a", 0, {}), Ruleset("b", 0, {})};
  const auto compiled = CompiledRulesets::Compile(specs, registry, TestStreamContext(), {});
  EXPECT_EQ(compiled.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MessageOf(compiled.status()),
            "ruleset 'a': has no rules; add one or remove the ruleset\n"
            "ruleset 'b': has no rules; add one or remove the ruleset");
}

TEST(CompiledRulesetsTest, RefusesTooManyRules) {
  std::vector<RuleSpec> rules;
  for (size_t i = 0; i <= CompiledRulesets::kMaxRules; ++i) {
    rules.push_back(AboveRule(std::to_string(i), 1, 1));
  }
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, rules)}),
              ElementsAre("ruleset 'x': has 1001 rules; at most 1000 are allowed, split the "
                          "ruleset"));
}

TEST(CompiledRulesetsTest, RefusesTooManyRulesets) {
  std::vector<RulesetSpec> rulesets;
  for (size_t i = 0; i <= CompiledRulesets::kMaxRulesets; ++i) {
    rulesets.push_back(Ruleset("x" + std::to_string(i), 0, {AboveRule("r", 1, 1)}));
  }
  EXPECT_THAT(ProblemsOf(rulesets), ElementsAre(HasSubstr("the stream has 1001 rulesets")));
}

TEST(CompiledRulesetsTest, RefusesMoneyOverMixedCurrencies) {
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {MoneyRule()})}, MixedCurrencies()),
              ElementsAre(HasSubstr("ruleset 'x', rule 'sum': adds up money, but the currency")));
  RuleSpec two = MoneyRule();
  two.filters = {{"currency", {"EUR", "USD"}}};
  EXPECT_EQ(ProblemsOf({Ruleset("x", 0, {two})}, MixedCurrencies()).size(), 1U);
}

TEST(CompiledRulesetsTest, AllowsMoneyInOneCurrency) {
  RuleSpec keyed = MoneyRule();
  keyed.key_suffix = {"currency"};
  RuleSpec filtered = MoneyRule();
  filtered.filters = {{"currency", {"EUR"}}};
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {keyed})}, MixedCurrencies()), ElementsAre());
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {filtered})}, MixedCurrencies()), ElementsAre());
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {CountRule("r", 1, 1)})}, MixedCurrencies()),
              ElementsAre());
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {MoneyRule()})}), ElementsAre());
}

TEST(CompiledRulesetsTest, RefusesRecordsThatAreTooLargeTogether) {
  const std::vector<RulesetSpec> specs = {
      Ruleset("x", 0, {StateRule("small", 30'000, 8), StateRule("large", 40'000, 8)})};
  EXPECT_THAT(ProblemsOf(specs),
              ElementsAre("ruleset 'x', rule 'large': the rules that count by the stream's key "
                          "need 70000 bytes of state per key together, at most 65536 are allowed; "
                          "this rule is the largest with 40000: lower its capacity or history"));
  RuleSpec apart = StateRule("large", 40'000, 8);
  apart.key_suffix = {"merchant"};
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {StateRule("small", 30'000, 8), apart})}), ElementsAre());
}

TEST(CompiledRulesetsTest, RefusesStateThatNoTableTakes) {
  EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {StateRule("big", 65'537, 8)})}),
              ElementsAre(HasSubstr("wants 65537 bytes of state per key")));
  for (const int64_t align : {0, 3, 32}) {
    EXPECT_THAT(ProblemsOf({Ruleset("x", 0, {StateRule("odd", 64, align)})}),
                ElementsAre(HasSubstr("declares a state alignment of " + std::to_string(align))));
  }
}

TEST(CompiledRulesetsTest, LaysSlicesOfOneKeySideBySideWithoutWaste) {
  RuleSpec keyed = StateRule("keyed", 24, 8);
  keyed.key_suffix = {"merchant"};
  const auto compiled =
      CompileForTest({Ruleset("a", 0, {StateRule("b1", 9, 1), StateRule("w16", 32, 16), keyed}),
                      Ruleset("b", 0, {StateRule("w8", 40, 8), StateRule("w4", 12, 4)})});
  const StateLayout& layout = compiled->layout();
  ASSERT_EQ(layout.groups.size(), 2U);
  EXPECT_TRUE(layout.groups[0].key.suffix().empty());
  EXPECT_EQ(layout.groups[0].record.size, 32U + 40 + 12 + 9);
  EXPECT_EQ(layout.groups[0].record.align, 16U);
  EXPECT_EQ(layout.groups[1].record.size, 24U);
  auto slices = SlicesOf(*compiled);
  EXPECT_EQ(slices["a/w16"].offset, 0U);
  EXPECT_EQ(slices["b/w8"].offset, 32U);
  EXPECT_EQ(slices["b/w4"].offset, 72U);
  EXPECT_EQ(slices["a/b1"].offset, 84U);
  EXPECT_EQ(slices["a/keyed"].offset, 0U);
}

TEST(CompiledRulesetsTest, LaysShortSlicesFirstAndCallsOnlyTheHeadOfTheLongestHot) {
  const auto compiled =
      CompileForTest({Ruleset("a", 0, {StateRule("long", 400, 8), StateRule("short", 16, 8)})});
  auto slices = SlicesOf(*compiled);
  EXPECT_EQ(slices["a/short"].offset, 0U);
  EXPECT_EQ(slices["a/long"].offset, 16U);
  const RecordLayout& record = compiled->layout().groups[0].record;
  EXPECT_EQ(record.size, 416U);
  EXPECT_EQ(record.hot_size, 16U + 64);
}

TEST(CompiledRulesetsTest, RulesKnowTheirSlices) {
  RuleSpec keyed = StateRule("keyed", 24, 8);
  keyed.key_suffix = {"merchant"};
  const auto compiled =
      CompileForTest({Ruleset("a", 0, {AboveRule("above", 1, 1), keyed, StateRule("w", 16, 8)})});
  ASSERT_EQ(compiled->rules().size(), 3U);
  EXPECT_EQ(compiled->rules()[0].group, CompiledRule::kStateless);
  EXPECT_EQ(compiled->rules()[1].group, 1U);
  EXPECT_EQ(compiled->rules()[2].group, 0U);
}

TEST(CompiledRulesetsTest, LayoutDoesNotDependOnTheOrderInTheFiles) {
  const RuleSpec one = CountRule("one", 1, 1);
  const RuleSpec two = CountRule("two", 2, 1);
  RuleSpec keyed = CountRule("keyed", 3, 1);
  keyed.key_suffix = {"merchant", "country"};
  RuleSpec keyed_other_way = keyed;
  keyed_other_way.key_suffix = {"country", "merchant"};
  const auto forward = CompileForTest({Ruleset("a", 0, {one, two}), Ruleset("b", 0, {keyed})});
  const auto backward =
      CompileForTest({Ruleset("b", 9, {keyed_other_way}), Ruleset("a", 0, {two, one})});
  EXPECT_EQ(forward->layout().id, backward->layout().id);
}

TEST(CompiledRulesetsTest, SliceIdChangesWithWhateverGivesTheBytesTheirMeaning) {
  const RuleSpec base = CountRule("r", 5, 1);
  const auto id = [](const RuleSpec& rule) {
    return SlicesOf(*CompileForTest({Ruleset("x", 0, {rule})})).begin()->second.id;
  };
  RuleSpec fingerprint = CountRule("r", 6, 1);
  RuleSpec renamed = CountRule("s", 5, 1);
  RuleSpec resized = base;
  resized.parameters.Set("state_bytes", int64_t{16});
  RuleSpec keyed = base;
  keyed.key_suffix = {"merchant"};
  RuleSpec filtered = base;
  filtered.filters = {{"country", {"FR"}}};
  for (const RuleSpec& changed : {fingerprint, renamed, resized, keyed, filtered}) {
    EXPECT_NE(id(changed), id(base));
  }
  RuleSpec scored = CountRule("r", 5, 99);
  scored.severity = Severity::kCritical;
  scored.mode = Mode::kShadow;
  EXPECT_EQ(id(scored), id(base));
}

TEST(CompiledRulesetsTest, LayoutIdCoversTheHashSeed) {
  AgentRegistry registry;
  RegisterTestAgents(registry);
  const std::vector<RulesetSpec> specs = {Ruleset("x", 0, {CountRule("r", 1, 1)})};
  const auto one = CompiledRulesets::Compile(specs, registry, TestStreamContext(), {1});
  const auto two = CompiledRulesets::Compile(specs, registry, TestStreamContext(), {2});
  EXPECT_NE((*one)->layout().id, (*two)->layout().id);
}

TEST(CompiledRulesetsTest, RulesSharingAFilterShareIt) {
  RuleSpec one = CountRule("one", 1, 1);
  one.filters = {{"country", {"FR", "DE"}}};
  RuleSpec two = CountRule("two", 1, 1);
  two.filters = {{"country", {"DE", "FR"}}};
  const auto compiled = CompileForTest({Ruleset("x", 0, {one, two, CountRule("all", 1, 1)})});
  EXPECT_EQ(compiled->filters().size(), 2U);
  EXPECT_EQ(compiled->rules()[0].filter, compiled->rules()[1].filter);
}

TEST(CompiledRulesetsTest, ModeOffStaysInTheInfosAndOutOfEvaluation) {
  RuleSpec off = CountRule("off", 1, 1);
  off.mode = Mode::kOff;
  RulesetSpec all_off = Ruleset("all-off", 0, {CountRule("r", 1, 1)});
  all_off.mode = Mode::kOff;
  const auto compiled = CompileForTest({all_off, Ruleset("x", 7, {off, CountRule("on", 4, 30)})});
  ASSERT_EQ(compiled->infos().size(), 2U);
  EXPECT_EQ(compiled->infos()[0].mode, Mode::kOff);
  const RulesetInfo& info = compiled->infos()[1];
  EXPECT_EQ(info.alert_above, 7);
  ASSERT_EQ(info.rules.size(), 2U);
  EXPECT_EQ(info.rules[0].mode, Mode::kOff);
  EXPECT_EQ(info.rules[1].limit_json, "{\"at\":4}");
  EXPECT_EQ(info.rules[1].reasons, std::vector<std::string>{"count_reached"});
  ASSERT_EQ(compiled->rules().size(), 1U);
  EXPECT_EQ(compiled->rules()[0].ruleset, 1U);
  EXPECT_EQ(compiled->rules()[0].rule, 1U);
  EXPECT_EQ(compiled->layout().groups[0].slices.size(), 1U);
}

TEST(CompiledRulesetsTest, RulesOfModeOffAreCheckedToo) {
  RuleSpec off = AboveRule("off", -1, 1);
  off.mode = Mode::kOff;
  EXPECT_EQ(ProblemsOf({Ruleset("x", 0, {off})}).size(), 1U);
}

TEST(CompiledRulesetsTest, OnlySomeRulesLeaveTheRecordsOfTheOthersAlone) {
  RuleSpec keyed = CountRule("keyed", 1, 1);
  keyed.key_suffix = {"merchant"};
  const auto all = CompileForTest(
      {Ruleset("x", 0, {CountRule("a", 1, 1), CountRule("b", 1, 1), keyed, AboveRule("c", 1, 1)})});
  const StateSlice wanted = all->layout().groups[0].slices[0];
  const auto only = all->Only([&](const StateSlice& slice) { return slice.id == wanted.id; });
  EXPECT_EQ(only->layout().id, all->layout().id);
  ASSERT_EQ(only->rules().size(), 1U);
  EXPECT_EQ(only->rules()[0].rule, wanted.rule);

  BucketState bucket(all, {});
  Evaluator evaluator(only);
  EvaluationCounts counts(*all);
  std::vector<Judgement> judgements;
  const TestTransactions events(std::vector<TestEvent>{{.key = "k", .merchant = "m"}});
  EvaluationInput input;
  input.transaction = &events[0];
  input.bucket = &bucket;
  input.key_hash = HashKey("k", kTestSeed);
  evaluator.Evaluate({&input, 1}, judgements, counts);
  EXPECT_EQ(bucket.table(0).size(), 1U);
  EXPECT_EQ(bucket.table(1).size(), 0U) << "no rule of that key was to see the event";
  const auto handle = bucket.table(0).Find(TableKey::Of("k", input.key_hash));
  for (const StateSlice& slice : all->layout().groups[0].slices) {
    int64_t count = -1;
    std::memcpy(&count, bucket.table(0).record(handle) + slice.offset, sizeof(count));
    EXPECT_EQ(count, slice.id == wanted.id ? 1 : 0);
  }
}

}  // namespace
}  // namespace caracal::agents
