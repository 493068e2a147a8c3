#include "agents/plugin/plugin_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluator.h"
#include "tests/unit/agents_plugin/test_plugins.h"

namespace caracal::agents {
namespace {

using ::testing::HasSubstr;

constexpr size_t kKeys = 3;

struct Payment {
  size_t key = 0;
  int64_t amount = 0;
};

/// Judges payments in batches; the states of all keys lie here.
class Judge {
 public:
  explicit Judge(PluginErrorPolicy on_error)
      : factory_(MakePlugin<SummingPlugin>(on_error)),
        rule_(factory_->Bind({}, {}).value()),
        agent_(rule_->NewAgent()) {}

  std::vector<Verdict> Batch(const std::vector<Payment>& payments) {
    std::vector<Transaction> transactions(payments.size());
    std::vector<const Transaction*> events;
    std::vector<std::byte*> states;
    for (size_t i = 0; i < payments.size(); ++i) {
      transactions[i].amount = payments[i].amount;
      transactions[i].has_amount = true;
      events.push_back(&transactions[i]);
      states.push_back(reinterpret_cast<std::byte*>(&sums_[payments[i].key]));
    }
    std::vector<Verdict> verdicts(payments.size());
    agent_->Process(events, states, verdicts);
    return verdicts;
  }

  const std::array<int64_t, kKeys>& sums() const { return sums_; }
  const Agent& agent() const { return *agent_; }

 private:
  std::unique_ptr<PluginFactory> factory_;
  std::unique_ptr<BoundRule> rule_;
  std::unique_ptr<Agent> agent_;
  std::array<int64_t, kKeys> sums_ = {};
};

TEST(PluginAgentTest, JudgesInOrderWithTheStatesOfTheKeys) {
  Judge judge(PluginErrorPolicy::kFail);
  const std::vector<Verdict> verdicts = judge.Batch({{0, 90}, {1, 50}, {0, 20}, {1, 50}});
  EXPECT_FALSE(verdicts[0].fired);
  EXPECT_TRUE(verdicts[2].fired);
  EXPECT_EQ(verdicts[2].observed[0], 110);
  EXPECT_FALSE(verdicts[3].fired);
  EXPECT_EQ(judge.sums()[1], 100);
  EXPECT_TRUE(judge.agent().status().ok());
}

TEST(PluginAgentTest, AnEventWithAnErrorIsAsIfItHadNotBeen) {
  Judge judge(PluginErrorPolicy::kSkip);
  const std::vector<Verdict> verdicts =
      judge.Batch({{0, 60}, {0, SummingPlugin::kBadAmount}, {0, 41}, {1, 5}});
  EXPECT_EQ(verdicts[0].observed[0], 60);
  EXPECT_EQ(verdicts[1].flags, kFailed);
  EXPECT_FALSE(verdicts[1].fired);
  EXPECT_EQ(verdicts[1].observed[0], 0);
  EXPECT_TRUE(verdicts[2].fired);
  EXPECT_EQ(verdicts[2].observed[0], 101);
  EXPECT_EQ(judge.sums()[0], 101);
  EXPECT_EQ(judge.sums()[1], 5);
}

TEST(PluginAgentTest, ErrorsGiveTheSameResultsInAnyBatches) {
  const uint32_t seed = ::testing::UnitTest::GetInstance()->random_seed() + 1U;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Judge judge(PluginErrorPolicy::kSkip);
  std::array<int64_t, kKeys> expected = {};
  for (int batch = 0; batch < 500; ++batch) {
    std::vector<Payment> payments(1 + random() % 40);
    for (Payment& payment : payments) {
      payment = {random() % kKeys, static_cast<int64_t>(random() % 40) - 10};
      if (random() % 4 == 0) payment.amount = SummingPlugin::kBadAmount;
    }
    const std::vector<Verdict> verdicts = judge.Batch(payments);
    for (size_t i = 0; i < payments.size(); ++i) {
      int64_t& sum = expected[payments[i].key];
      if (payments[i].amount == SummingPlugin::kBadAmount) {
        ASSERT_EQ(verdicts[i].flags, kFailed);
        continue;
      }
      sum += payments[i].amount;
      ASSERT_EQ(verdicts[i].observed[0], sum);
      ASSERT_EQ(verdicts[i].fired, sum > 100);
      ASSERT_EQ(verdicts[i].flags, 0);
    }
    ASSERT_EQ(judge.sums(), expected);
  }
}

TEST(PluginAgentTest, AnErrorBreaksAnAgentThatMayHaveNone) {
  Judge judge(PluginErrorPolicy::kFail);
  judge.Batch({{0, 60}, {0, SummingPlugin::kBadAmount}, {0, 41}});
  EXPECT_THAT(std::string(judge.agent().status().message()),
              HasSubstr("agent 'summing' 1.0.0: it had error 1 with an event; mend the plugin, or "
                        "set on_error: skip"));
  const std::vector<Verdict> later = judge.Batch({{2, 500}});
  EXPECT_FALSE(later[0].fired) << "it judges no more";
  EXPECT_EQ(judge.sums()[2], 0);
}

RuleSpec Rule(std::string id, std::string agent) {
  RuleSpec rule;
  rule.id = std::move(id);
  rule.agent = std::move(agent);
  rule.score = 50;
  return rule;
}

/// A rule that echoes what `of` observes.
RuleSpec Echo(std::string id, std::string of) {
  RuleSpec rule = Rule(std::move(id), "echo");
  rule.parameters.Set("of", std::move(of));
  return rule;
}

/// Rules of plugins over one bucket.
class PluginRulesetTest : public ::testing::Test {
 protected:
  /// Two rules that sum amounts up. The second sees card payments only: the first alone decides on
  /// the others.
  void Compile(PluginErrorPolicy on_error) {
    std::vector<RuleSpec> rules = {Rule("first", "summing"), Rule("second", "summing")};
    rules[1].filters = {{"kind", {"card"}}};
    Compile(on_error, std::move(rules));
  }

  void Compile(PluginErrorPolicy on_error, std::vector<RuleSpec> rules) {
    ASSERT_TRUE(registry_.Register(MakePlugin<SummingPlugin>(on_error)).ok());
    ASSERT_TRUE(registry_.Register(MakePlugin<EchoPlugin>(on_error)).ok());
    RulesetSpec ruleset;
    ruleset.name = "set";
    ruleset.rules = std::move(rules);
    stream_.attributes = AttributeSchema({"kind"});
    auto compiled = CompiledRulesets::Compile({&ruleset, 1}, registry_, stream_, {});
    error_ = MessageOf(compiled.status());
    if (!compiled.ok()) return;
    evaluator_ = std::make_unique<Evaluator>(*compiled);
    counts_ = std::make_unique<EvaluationCounts>(**compiled);
    bucket_ = std::make_unique<BucketState>(*compiled, BucketLimits{});
  }

  std::vector<Judgement> Evaluate(int64_t amount, std::string_view kind) {
    Transaction transaction;
    transaction.key = "1042";
    transaction.attributes = {&kind, 1};
    transaction.amount = amount;
    transaction.has_amount = true;
    EvaluationInput input;
    input.transaction = &transaction;
    input.bucket = bucket_.get();
    input.key_hash = HashKey(transaction.key, 0);
    std::vector<Judgement> judgements;
    evaluator_->Evaluate({&input, 1}, judgements, *counts_);
    return judgements;
  }

  /// What the echo rule of index `rule` observed on the one event that was judged.
  static int64_t Echoed(const std::vector<Judgement>& judgements, uint16_t rule) {
    for (const FiredRule& fired : judgements.at(0).fired) {
      if (fired.rule == rule) return fired.verdict.observed[2];
    }
    ADD_FAILURE() << "rule " << rule << " did not fire";
    return 0;
  }

  AgentRegistry registry_;
  StreamContext stream_;
  std::string error_;
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<EvaluationCounts> counts_;
  std::unique_ptr<BucketState> bucket_;
};

TEST_F(PluginRulesetTest, SkippedErrorsAreCounted) {
  Compile(PluginErrorPolicy::kSkip);
  EXPECT_TRUE(Evaluate(SummingPlugin::kBadAmount, "card").empty());
  EXPECT_TRUE(evaluator_->failure().ok());
  EXPECT_EQ(counts_->rulesets[0].rules[0].errors, 1U);
  EXPECT_EQ(counts_->rulesets[0].rules[1].errors, 1U);
  EXPECT_EQ(counts_->rulesets[0].rules[0].evaluations, 1U);
  const std::vector<Judgement> judgements = Evaluate(101, "cash");
  ASSERT_EQ(judgements.size(), 1U);
  EXPECT_TRUE(judgements[0].failed.empty());
}

TEST_F(PluginRulesetTest, AFailureNamesTheRuleAndEndsTheEvaluation) {
  Compile(PluginErrorPolicy::kFail);
  EXPECT_EQ(Evaluate(101, "cash").size(), 1U);
  Evaluate(SummingPlugin::kBadAmount, "cash");
  EXPECT_THAT(std::string(evaluator_->failure().message()),
              HasSubstr("ruleset 'set', rule 'first': agent 'summing' 1.0.0: it had error 1"));
  EXPECT_TRUE(Evaluate(101, "cash").empty());
}

TEST_F(PluginRulesetTest, RulesBuildOnWhatEarlierOnesObserve) {
  std::vector<RuleSpec> rules = {Rule("card", "summing"), Echo("echo", "card.sum"),
                                 Echo("again", "echo.value")};
  rules[0].filters = {{"kind", {"card"}}};
  rules[0].mode = Mode::kShadow;
  Compile(PluginErrorPolicy::kSkip, rules);
  ASSERT_EQ(error_, "");
  std::vector<Judgement> judgements = Evaluate(40, "card");
  EXPECT_EQ(Echoed(judgements, 1), 40);
  EXPECT_EQ(Echoed(judgements, 2), 40);
  judgements = Evaluate(2, "card");
  EXPECT_EQ(Echoed(judgements, 1), 42);
  EXPECT_EQ(Echoed(Evaluate(1, "cash"), 1), -1) << "the rule did not see the event";
  EXPECT_EQ(Echoed(Evaluate(SummingPlugin::kBadAmount, "card"), 1), -1) << "it had an error";
  judgements = Evaluate(1, "card");
  EXPECT_EQ(Echoed(judgements, 1), 43);
}

TEST_F(PluginRulesetTest, NamesOfValuesMustExist) {
  Compile(PluginErrorPolicy::kFail, {Rule("a", "summing"), Echo("b", "a.count")});
  EXPECT_THAT(error_, HasSubstr("rule 'b': no rule before this one in its ruleset observes "
                                "'a.count' (there is: a.sum); correct the name"));
}

TEST_F(PluginRulesetTest, RulesBuildOnEarlierOnesOnly) {
  Compile(PluginErrorPolicy::kFail, {Echo("b", "a.sum"), Rule("a", "summing")});
  EXPECT_THAT(error_, HasSubstr("observes 'a.sum' (there are: none)"));
}

TEST_F(PluginRulesetTest, RulesThatAreOffObserveNothing) {
  std::vector<RuleSpec> rules = {Rule("a", "summing"), Echo("b", "a.sum")};
  rules[0].mode = Mode::kOff;
  Compile(PluginErrorPolicy::kFail, rules);
  EXPECT_THAT(error_, HasSubstr("observes 'a.sum' (there are: none)"));
}

}  // namespace
}  // namespace caracal::agents
