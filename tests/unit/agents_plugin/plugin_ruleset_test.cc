#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
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

RuleSpec Rule(std::string id, std::string agent) {
  RuleSpec rule;
  rule.id = std::move(id);
  rule.agent = std::move(agent);
  rule.score = 50;
  return rule;
}

/// A rule of an agent that builds on `of`.
RuleSpec On(std::string of, std::string id, std::string agent) {
  RuleSpec rule = Rule(std::move(id), std::move(agent));
  rule.parameters.Set("of", std::move(of));
  return rule;
}

/// A rule that echoes what `of` observes.
RuleSpec Echo(std::string id, std::string of) { return On(std::move(of), std::move(id), "echo"); }

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
    evaluator_.reset();
    bucket_.reset();
    rulesets_.reset();
    registry_ = std::make_unique<AgentRegistry>();
    ASSERT_TRUE(registry_->Register(MakePlugin<SummingPlugin>(on_error)).ok());
    ASSERT_TRUE(registry_->Register(MakePlugin<EchoPlugin>(on_error)).ok());
    ASSERT_TRUE(registry_->Register(MakePlugin<TotalPlugin>(on_error)).ok());
    RulesetSpec ruleset;
    ruleset.name = "set";
    ruleset.rules = std::move(rules);
    stream_.attributes = AttributeSchema({"kind"});
    auto compiled = CompiledRulesets::Compile({&ruleset, 1}, *registry_, stream_, {});
    error_ = MessageOf(compiled.status());
    if (!compiled.ok()) return;
    rulesets_ = *compiled;
    bucket_ = std::make_unique<BucketState>(rulesets_, BucketLimits{});
    Evaluate(rulesets_);
  }

  /// Later events are judged by these rules, which share the bucket.
  void Evaluate(std::shared_ptr<const CompiledRulesets> rulesets) {
    evaluator_ = std::make_unique<Evaluator>(std::move(rulesets));
    counts_ = std::make_unique<EvaluationCounts>(*rulesets_);
  }

  /// The slice of the rule of index `rule`.
  StateSlice Slice(uint16_t rule) const {
    for (const StateSlice& slice : rulesets_->layout().groups[0].slices) {
      if (slice.rule == rule) return slice;
    }
    ADD_FAILURE() << "rule " << rule << " has no state";
    return {};
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

  /// What the rule of index `rule` observed in slot 2 on the one event that was judged.
  static int64_t Echoed(const std::vector<Judgement>& judgements, uint16_t rule) {
    for (const FiredRule& fired : judgements.at(0).fired) {
      if (fired.rule == rule) return fired.verdict.observed[2];
    }
    ADD_FAILURE() << "rule " << rule << " did not fire";
    return 0;
  }

  std::unique_ptr<AgentRegistry> registry_;
  StreamContext stream_;
  std::string error_;
  std::shared_ptr<const CompiledRulesets> rulesets_;
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

TEST_F(PluginRulesetTest, AnEvaluatorOfSomeRulesRunsThoseTheyBuildOn) {
  Compile(PluginErrorPolicy::kSkip, {Rule("other", "summing"), Rule("card", "summing"),
                                     Echo("echo", "card.sum"), On("echo.value", "total", "total")});
  ASSERT_EQ(error_, "");
  EXPECT_EQ(Echoed(Evaluate(40, "card"), 3), 40);
  const StateSlice total = Slice(3);
  const auto some =
      rulesets_->Only([&total](const StateSlice& slice) { return slice.id == total.id; });
  ASSERT_EQ(some->rules().size(), 3U) << "all but the rule nothing builds on";
  Evaluate(some);
  EXPECT_EQ(Echoed(Evaluate(2, "card"), 3), 82) << "40 before, and 42 now";
}

TEST_F(PluginRulesetTest, StateBeginsAnewWithTheRulesItBuildsOn) {
  const std::vector<RuleSpec> rules = {Rule("card", "summing"), Rule("other", "summing"),
                                       Echo("echo", "card.sum"),
                                       On("echo.value", "total", "total")};
  Compile(PluginErrorPolicy::kSkip, rules);
  const StateDigest other = Slice(1).id;
  const StateDigest total = Slice(3).id;
  Compile(PluginErrorPolicy::kSkip, rules);
  EXPECT_EQ(Slice(3).id, total);

  std::vector<RuleSpec> changed = rules;
  changed[0].filters = {{"kind", {"card"}}};
  Compile(PluginErrorPolicy::kSkip, changed);
  EXPECT_EQ(Slice(1).id, other) << "nothing it is made of has changed";
  EXPECT_NE(Slice(3).id, total) << "the sum two rules before it is another one";

  changed = rules;
  changed[2].parameters.Set("of", std::string("other.sum"));
  Compile(PluginErrorPolicy::kSkip, changed);
  EXPECT_NE(Slice(3).id, total);
}

}  // namespace
}  // namespace caracal::agents
