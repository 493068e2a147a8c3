#include <caracal/agent_abi.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/amount/amount_factory.h"
#include "agents/api/agent_registry.h"
#include "agents/plugin/plugin_factory.h"
#include "agents/plugin/plugin_table.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluator.h"
#include "agents/sdk/example/scorer/model.h"
#include "agents/state/key_hash.h"
#include "agents/velocity/velocity_factory.h"
#include "tests/support/rule_harness.h"
#include "tests/unit/agents_example_scorer/fixture_files.h"

// The plugin as the engine runs it: its table, bound to streams and behind other rules.
namespace caracal::agents {
namespace {

using scorer::testing::ReadFixture;
using testing::BindError;
using testing::Duration;
using testing::Exact;
using ::testing::HasSubstr;
using testing::MakeParameters;
using testing::Number;
using testing::RuleHarness;
using testing::Text;
using testing::TextList;

constexpr int64_t kHourUs = 3'600'000'000;

/// A logistic model that adds up `names`, each times another power of ten thousand.
std::string Adding(const std::vector<std::string>& names) {
  std::string coefficients;
  std::string factor = "1";
  for (const std::string& name : names) {
    coefficients += (coefficients.empty() ? "\"" : ",\"") + name + "\":" + factor;
    factor += "0000";
  }
  return R"({"type": "logistic", "intercept": 0, "coefficients": {)" + coefficients + "}}";
}

/// The plugin with its model in memory.
std::unique_ptr<PluginFactory> MakeScorer(std::string model) {
  PluginFactoryOptions options;
  options.host = std::make_unique<PluginHost>(nullptr);
  options.api = caracal_agent_entry(options.host->table());
  options.info = ReadPluginTable(options.api).value();
  options.info.parameters = {
      {.name = "model", .type = ParameterType::kFile},
      {.name = "inputs", .type = ParameterType::kTextList},
      {.name = "threshold", .type = ParameterType::kDecimal},
      {.name = "output", .type = ParameterType::kText, .default_text = "probability"}};
  options.read_file = [model = std::move(model)](
                          const ParameterFile&) -> absl::StatusOr<std::string> { return model; };
  return PluginFactory::Make(std::move(options)).value();
}

Parameters Margin(const std::string& threshold) {
  return MakeParameters({{"model", ParameterFile{"/m.json", "d1"}},
                         {"threshold", Exact(threshold)},
                         {"output", Text("margin")}});
}

StreamContext Payments() {
  StreamContext stream;
  stream.topic = "payments";
  stream.attributes = AttributeSchema({"country", "age"});
  stream.has_location = true;
  return stream;
}

double ScoreOf(const Verdict& verdict) { return std::bit_cast<double>(verdict.observed[0]); }

/// The margin of one event by a model that adds up `names`.
double ScoreOf(const std::vector<std::string>& names, const testing::Event& event) {
  const auto factory = MakeScorer(Adding(names));
  RuleHarness rule(*factory, Margin("0"), Payments());
  return ScoreOf(rule.Judge(event));
}

TEST(ScorerRuleTest, ReadsTheFieldsOfAnEvent) {
  const testing::Event event = {.time_us = 19 * kHourUs + 1,
                                .amount = 1'234,
                                .attributes = {"FR", "37.5"},
                                .location = Location{48'850'000, -2'350'000}};
  EXPECT_EQ(ScoreOf({"amount"}, event), 12.34);
  EXPECT_EQ(ScoreOf({"hour_of_day", "day_of_week"}, event), 19 + 3e4) << "a Thursday";
  EXPECT_EQ(ScoreOf({"has_location"}, event), 1);
  EXPECT_EQ(ScoreOf({"latitude"}, event), 48.85);
  EXPECT_EQ(ScoreOf({"longitude"}, event), -2.35);
  EXPECT_EQ(ScoreOf({"country=FR", "country=DE"}, event), 1);
  EXPECT_EQ(ScoreOf({"age"}, event), 37.5);
}

TEST(ScorerRuleTest, CountsHoursAndDaysBefore1970Too) {
  testing::Event event = {.time_us = -1};
  EXPECT_EQ(ScoreOf({"hour_of_day", "day_of_week"}, event), 23 + 2e4) << "a Wednesday";
  event.time_us = -8 * 24 * kHourUs;
  EXPECT_EQ(ScoreOf({"hour_of_day", "day_of_week"}, event), 2e4);
}

TEST(ScorerRuleTest, AnEventWithoutAValueItNeedsHasNoScore) {
  const auto factory = MakeScorer(Adding({"age"}));
  RuleHarness rule(*factory, Margin("-1000"), Payments());
  for (const std::string_view age :
       {std::string_view(), std::string_view("old"), std::string_view(""), std::string_view("7 "),
        std::string_view("inf"), std::string_view("1e999")}) {
    const Verdict verdict = rule.Judge({.attributes = {"FR", age}});
    EXPECT_FALSE(verdict.fired) << age;
    EXPECT_EQ(verdict.flags, CARACAL_INACTIVE) << age;
  }
  EXPECT_TRUE(rule.Judge({.attributes = {{}, "-7"}}).fired);
}

TEST(ScorerRuleTest, ATestOfAnAbsentAttributeIsNotMissing) {
  const std::vector<std::string_view> absent = {std::string_view(), std::string_view()};
  EXPECT_EQ(ScoreOf({"country=FR", "has_location"}, {.attributes = absent}), 0);
}

TEST(ScorerRuleTest, FiresFromTheThresholdOn) {
  const auto factory = MakeScorer(Adding({"amount"}));
  RuleHarness rule(*factory, Margin("12.34"), Payments());
  EXPECT_FALSE(rule.Judge({.amount = 1'233}).fired);
  const Verdict verdict = rule.Judge({.amount = 1'234});
  EXPECT_EQ(rule.Reason(verdict), "score_reached");
  EXPECT_EQ(rule.rule().limit_json(), R"({"threshold":12.34})");
  ASSERT_EQ(rule.rule().observed().size(), 1U);
  EXPECT_EQ(rule.rule().observed()[0].name, "score");
  EXPECT_EQ(rule.rule().state().size, 0U);
}

TEST(ScorerRuleTest, GivesTheProbabilityUnlessToldOtherwise) {
  const auto factory = MakeScorer(Adding({"amount"}));
  Parameters parameters =
      MakeParameters({{"model", ParameterFile{"/m.json", "d1"}}, {"threshold", Exact("0.5")}});
  RuleHarness rule(*factory, parameters, Payments());
  const Verdict verdict = rule.Judge({.amount = 0});
  EXPECT_EQ(ScoreOf(verdict), 0.5);
  EXPECT_TRUE(verdict.fired);
  EXPECT_FALSE(rule.Judge({.amount = -1}).fired);
}

TEST(ScorerRuleTest, InputsTakeThePlaceOfTheModelsNames) {
  const auto factory = MakeScorer(Adding({"x0", "x1"}));
  Parameters parameters = Margin("0");
  EXPECT_THAT(BindError(*factory, parameters, Payments()),
              HasSubstr("inputs: 'x0' is none of amount, hour_of_day, day_of_week, has_location, "
                        "latitude, longitude, no attribute"));
  parameters.Set("inputs", TextList({"hour_of_day", "amount"}));
  RuleHarness rule(*factory, parameters, Payments());
  EXPECT_EQ(ScoreOf(rule.Judge({.time_us = 2 * kHourUs, .amount = 700})), 2 + 7e4);
}

TEST(ScorerRuleTest, RefusesARuleWithASentence) {
  const auto refusal = [](const std::string& model, const std::vector<std::string>& inputs,
                          const StreamContext& stream) {
    Parameters parameters = Margin("0");
    if (!inputs.empty()) parameters.Set("inputs", TextList(inputs));
    return BindError(*MakeScorer(model), parameters, stream);
  };
  const std::string one = Adding({"amount"});
  EXPECT_EQ(refusal(one, {"amount", "age"}, Payments()),
            "inputs: there are 2, but the model has 1 features");
  EXPECT_EQ(refusal("[]", {}, Payments()), "model: line 1, column 1: there should be an object");
  EXPECT_THAT(refusal(one, {"merchant=7"}, Payments()), HasSubstr("inputs: 'merchant=7' is none"));
  EXPECT_EQ(refusal(one, {"=7"}, Payments()), "inputs: '=7' names nothing");
  EXPECT_THAT(refusal(one, {"burst.count"}, Payments()),
              HasSubstr("no rule before this one in its ruleset observes 'burst.count'"));
  StreamContext stream = Payments();
  stream.has_amount = stream.has_location = false;
  EXPECT_EQ(refusal(one, {}, stream), "inputs: 'amount' needs a stream that maps an amount");
  EXPECT_EQ(refusal(one, {"latitude"}, stream),
            "inputs: 'latitude' needs a stream that maps coordinates");
  stream.features = {{"far.from", ValueKind::kCode, 0}, {"far.km", ValueKind::kReal, 1}};
  EXPECT_EQ(refusal(one, {"far.from"}, stream),
            "inputs: 'far.from' is a code and no number; compare it: 'far.from=FR'");
  EXPECT_EQ(refusal(one, {"far.km=7"}, stream),
            "inputs: 'far.km=7' compares a number with a text; use it without '='");
  EXPECT_EQ(refusal(one, {"far.from=toolongacode"}, stream),
            "inputs: 'far.from=toolongacode' needs a code of 1 to 8 bytes");
  const std::string model =
      scorer::testing::Edited(ReadFixture("xgboost_3_logistic_10_depth_1.json"),
                              R"("feature_names":[)", R"("feature_names":[],"other_names":[)");
  EXPECT_EQ(refusal(model, {}, Payments()),
            "inputs: the model does not name its features; list all 6 in their order");
  Parameters parameters =
      MakeParameters({{"model", ParameterFile{"/m.json", "d1"}}, {"threshold", Exact("1.5")}});
  EXPECT_EQ(BindError(*MakeScorer(one), parameters, Payments()),
            "threshold: a probability lies between 0 and 1; correct it, or use 'output: margin'");
}

TEST(ScorerRuleTest, ReadsValuesOfEarlierRulesInTheirUnits) {
  StreamContext stream = Payments();
  stream.features = {{"r.count", ValueKind::kInteger, 0},
                     {"r.sum", ValueKind::kMoney, 1},
                     {"r.window_s", ValueKind::kMicros, 2},
                     {"r.z", ValueKind::kReal, 3},
                     {"r.from", ValueKind::kCode, 4}};
  const auto factory =
      MakeScorer(Adding({"r.count", "r.sum", "r.window_s", "r.z", "r.from=FR", "r.from=F"}));
  const auto rule = factory->Bind(Margin("0"), stream);
  ASSERT_TRUE(rule.ok()) << rule.status();
  const std::unique_ptr<Agent> agent = (*rule)->NewAgent();
  const std::vector<Feature> features = {{6, 1},
                                         {1'250, 1},
                                         {2'500'000, 1},
                                         {std::bit_cast<int64_t>(0.5), 1},
                                         {'F' | 'R' << 8, 1},
                                         {'F' | 'R' << 8, 1}};
  const Transaction transaction = testing::ToTransaction({});
  const Transaction* event = &transaction;
  std::byte* state = nullptr;
  Verdict verdict;
  agent->ProcessWithFeatures({&event, 1}, {&state, 1}, features, {&verdict, 1});
  EXPECT_EQ(ScoreOf(verdict), 6 + 12.5e4 + 2.5e8 + 0.5e12 + 1e16);
}

/// Rules before a scorer, over one bucket.
class ScorerRulesetTest : public ::testing::Test {
 protected:
  void Compile(std::string model, std::vector<std::string> inputs) {
    ASSERT_TRUE(registry_.Register(std::make_unique<VelocityFactory>()).ok());
    ASSERT_TRUE(registry_.Register(std::make_unique<AmountFactory>()).ok());
    ASSERT_TRUE(registry_.Register(MakeScorer(std::move(model))).ok());
    RulesetSpec ruleset;
    ruleset.name = "card-risk";
    ruleset.alert_above = 0;
    ruleset.rules.push_back(Rule("burst", "velocity",
                                 MakeParameters({{"window", Duration("60s")},
                                                 {"max_count", Number(1'000)},
                                                 {"refunds", Text("exclude")}})));
    ruleset.rules.push_back(
        Rule("large", "amount", MakeParameters({{"above", Exact("100000.00")}})));
    Parameters parameters = Margin("-1000");
    if (!inputs.empty()) parameters.Set("inputs", TextList(std::move(inputs)));
    ruleset.rules.push_back(Rule("model", "scorer", std::move(parameters)));
    stream_.attributes = AttributeSchema({"distance", "z", "country"});
    auto compiled = CompiledRulesets::Compile({&ruleset, 1}, registry_, stream_, {});
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    rulesets_ = *compiled;
    bucket_ = std::make_unique<BucketState>(rulesets_, BucketLimits{});
    evaluator_ = std::make_unique<Evaluator>(rulesets_);
    counts_ = std::make_unique<EvaluationCounts>(*rulesets_);
  }

  /// The scores of the events, which the scorer raises on all.
  std::vector<double> Judge(const std::vector<testing::Event>& events) {
    std::vector<Transaction> transactions;
    for (const testing::Event& event : events) {
      transactions.push_back(testing::ToTransaction(event));
    }
    std::vector<EvaluationInput> inputs(events.size());
    for (size_t i = 0; i < events.size(); ++i) {
      inputs[i].transaction = &transactions[i];
      inputs[i].bucket = bucket_.get();
      inputs[i].key_hash = HashKey(transactions[i].key, 0);
    }
    std::vector<Judgement> judgements;
    evaluator_->Evaluate(inputs, judgements, *counts_);
    EXPECT_TRUE(evaluator_->failure().ok()) << evaluator_->failure();
    std::vector<double> scores;
    for (const Judgement& judgement : judgements) {
      EXPECT_EQ(judgement.fired.size(), 1U);
      scores.push_back(ScoreOf(judgement.fired.back().verdict));
    }
    return scores;
  }

 private:
  static RuleSpec Rule(std::string id, std::string agent, Parameters parameters) {
    RuleSpec rule;
    rule.id = std::move(id);
    rule.agent = std::move(agent);
    rule.score = 50;
    rule.parameters = std::move(parameters);
    return rule;
  }

  AgentRegistry registry_;
  StreamContext stream_;
  std::shared_ptr<const CompiledRulesets> rulesets_;
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<EvaluationCounts> counts_;
  std::unique_ptr<BucketState> bucket_;
};

TEST_F(ScorerRulesetTest, ScoresWhatEarlierRulesObservedOnTheSameEvent) {
  Compile(Adding({"burst.count", "large.amount"}), {});
  const std::vector<double> scores = Judge({{.time_us = 1'000'000, .amount = 100},
                                            {.time_us = 2'000'000, .amount = 250},
                                            {.time_us = 70'000'000, .amount = 300}});
  EXPECT_EQ(scores, (std::vector<double>{1 + 1e4, 2 + 2.5e4, 1 + 3e4}));
}

TEST_F(ScorerRulesetTest, ScoresAsTheModelDoesByItself) {
  const std::string json = ReadFixture("xgboost_3_logistic_100_depth_2.json");
  Compile(json, {"amount", "burst.count", "hour_of_day", "distance", "z", "country=FR"});
  const scorer::testing::Table rows("inputs.csv");
  const auto model = scorer::Model::Parse(json);
  std::vector<std::string> texts;
  texts.reserve(2 * rows.rows);
  std::vector<testing::Event> events;
  std::vector<double> values;
  const auto attribute = [&texts](double value) -> std::string_view {
    if (value != value) return {};
    return texts.emplace_back(std::to_string(value));
  };
  // An hour apart: each is the only one in its window.
  for (size_t row = 0; row < rows.rows; ++row) {
    const bool is_french = rows.At(row, 5) == 1;
    const auto cents = static_cast<int64_t>(rows.At(row, 0) * 100 + 0.5);
    events.push_back({.time_us = static_cast<int64_t>(row) * kHourUs,
                      .amount = cents,
                      .attributes = {attribute(rows.At(row, 3)), attribute(rows.At(row, 4)),
                                     is_french ? "FR" : "DE"}});
    const double hour = static_cast<double>(row % 24);
    values.insert(values.end(), {rows.At(row, 0), 1, hour, rows.At(row, 3), rows.At(row, 4),
                                 is_french ? 1.0 : 0.0});
  }
  std::vector<double> expected(rows.rows);
  model->Score(values.data(), rows.rows, scorer::Output::kMargin, expected.data());
  EXPECT_EQ(Judge(events), expected);
}

}  // namespace
}  // namespace caracal::agents
