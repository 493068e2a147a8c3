#include "agents/velocity/velocity_agent.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "agents/velocity/velocity_factory.h"
#include "tests/support/rule_harness.h"

namespace caracal::agents {
namespace {

using testing::Duration;
using testing::Event;
using testing::Exact;
using testing::MakeParameters;
using testing::Number;
using testing::Object;
using testing::RuleHarness;
using testing::Text;

constexpr int64_t kSecond = 1'000'000;

StreamContext PaymentStream() {
  StreamContext stream;
  stream.topic = "payments";
  stream.attributes = AttributeSchema({"country", "merchant"});
  return stream;
}

class VelocityAgentTest : public ::testing::Test {
 protected:
  RuleHarness Rule(testing::NamedValues values) {
    return RuleHarness(factory_, MakeParameters(values), PaymentStream());
  }

  VelocityFactory factory_;
};

TEST_F(VelocityAgentTest, RaisesFromTheSixthEventWithinAMinute) {
  RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(5)}});
  for (int64_t i = 0; i < 5; ++i) EXPECT_FALSE(rule.Judge({i * 10 * kSecond}).fired) << i;
  const Verdict sixth = rule.Judge({50 * kSecond});
  EXPECT_EQ(rule.Reason(sixth), "count_exceeded");
  EXPECT_EQ(sixth.observed[VelocitySlots::kCount], 6);
  EXPECT_EQ(sixth.observed[VelocitySlots::kWindow], 60 * kSecond);
  EXPECT_EQ(sixth.flags, 0) << "six events are exact";
}

TEST_F(VelocityAgentTest, CountsAnEventExactlySixtySecondsOld) {
  for (const auto& [sixth_at, fires] : {std::pair<int64_t, bool>{60 * kSecond, true},
                                        std::pair<int64_t, bool>{60 * kSecond + 1, false}}) {
    RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(5)}});
    for (int64_t i = 0; i < 5; ++i) rule.Judge({i});
    EXPECT_EQ(rule.Judge({sixth_at}).fired, fires) << sixth_at;
  }
}

TEST_F(VelocityAgentTest, SaysAtLeastOnceTheWindowHoldsMoreThanItKeeps) {
  RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(5)}});
  Verdict verdict;
  for (int64_t i = 0; i < 7; ++i) verdict = rule.Judge({i});
  EXPECT_EQ(rule.Reason(verdict), "count_exceeded");
  EXPECT_EQ(verdict.observed[VelocitySlots::kCount], 6);
  EXPECT_EQ(verdict.flags, kAtLeast);
}

TEST_F(VelocityAgentTest, ReplayedBacklogRaisesNothingByItself) {
  RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(5)}});
  std::vector<Event> backlog;
  for (int64_t i = 0; i < 1000; ++i) backlog.push_back({i * 13 * kSecond});
  for (const Verdict& verdict : rule.JudgeBatch(backlog)) EXPECT_FALSE(verdict.fired);
}

TEST_F(VelocityAgentTest, FlagsALateEventAndForgetsIt) {
  RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(1)}});
  rule.Judge({100 * kSecond});
  const Verdict late = rule.Judge({40 * kSecond - 1});
  EXPECT_EQ(late.flags, kLate);
  EXPECT_FALSE(late.fired);
  const Verdict edge = rule.Judge({40 * kSecond});
  EXPECT_EQ(edge.flags, 0);
  EXPECT_EQ(rule.Reason(edge), "count_exceeded") << "an event out of order can be the second";
  EXPECT_EQ(edge.observed[VelocitySlots::kCount], 2);
}

TEST_F(VelocityAgentTest, LateEventOfAViolatedWindowRaisesNothing) {
  RuleHarness rule = Rule({{"window", Duration("10s")}, {"max_count", Number(1)}});
  rule.Judge({100 * kSecond});
  EXPECT_TRUE(rule.Judge({100 * kSecond}).fired);
  const Verdict late = rule.Judge({80 * kSecond});
  EXPECT_FALSE(late.fired);
  EXPECT_EQ(late.flags, kLate);
}

TEST_F(VelocityAgentTest, SumsStrictlyAboveTheLimit) {
  RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_amount", Exact("100.00")}});
  EXPECT_FALSE(rule.Judge({0, 9'999}).fired);
  EXPECT_FALSE(rule.Judge({1, 1}).fired) << "exactly the limit";
  const Verdict verdict = rule.Judge({2, 1});
  EXPECT_EQ(rule.Reason(verdict), "amount_exceeded");
  EXPECT_EQ(verdict.observed[VelocitySlots::kSum], 10'001);
  EXPECT_EQ(verdict.observed[VelocitySlots::kCount], 3);
}

TEST_F(VelocityAgentTest, RefundsCountButReduceTheSumOnlyWhenAsked) {
  for (const bool include : {false, true}) {
    RuleHarness rule = Rule({{"window", Duration("60s")},
                             {"max_amount", Exact("100.00")},
                             {"refunds", Text(include ? "include" : "exclude")}});
    rule.Judge({0, 10'000});
    const Verdict refund = rule.Judge({1, -500});
    EXPECT_EQ(refund.observed[VelocitySlots::kCount], 2);
    EXPECT_EQ(refund.observed[VelocitySlots::kSum], include ? 9'500 : 10'000);
    EXPECT_EQ(rule.Judge({2, 500}).fired, !include);
  }
}

TEST_F(VelocityAgentTest, EventWithoutAmountMovesTheWindowAndIsJudged) {
  RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_amount", Exact("1.00")}});
  EXPECT_TRUE(rule.Judge({0, 200}).fired);
  EXPECT_EQ(rule.Reason(rule.Judge({1})), "amount_exceeded");
  EXPECT_FALSE(rule.Judge({61 * kSecond}).fired);
  EXPECT_EQ(rule.Judge({1, 200}).flags, kLate) << "T moved although nothing was paid";
}

TEST_F(VelocityAgentTest, CountsDifferentValuesAndIgnoresNull) {
  RuleHarness rule =
      Rule({{"window", Duration("60s")},
            {"distinct", Object({{"attribute", Text("merchant")}, {"max", Number(2)}})}});
  EXPECT_FALSE(rule.Judge({0, {}, {"FR", "a"}}).fired);
  EXPECT_FALSE(rule.Judge({1, {}, {"FR", "b"}}).fired);
  EXPECT_FALSE(rule.Judge({2, {}, {"FR", "a"}}).fired);
  EXPECT_FALSE(rule.Judge({3, {}, {"FR", {}}}).fired) << "NULL is no value";
  const Verdict verdict = rule.Judge({4, {}, {"DE", "c"}});
  EXPECT_EQ(rule.Reason(verdict), "distinct_exceeded");
  EXPECT_EQ(verdict.observed[VelocitySlots::kDistinct], 3);
}

TEST_F(VelocityAgentTest, GivesTheFirstReasonThatApplies) {
  RuleHarness rule =
      Rule({{"window", Duration("60s")},
            {"max_count", Number(3)},
            {"max_amount", Exact("1.00")},
            {"distinct", Object({{"attribute", Text("merchant")}, {"max", Number(1)}})},
            {"capacity", Number(4)}});
  EXPECT_FALSE(rule.Judge({0, 10, {"FR", "a"}}).fired);
  EXPECT_EQ(rule.Reason(rule.Judge({1, 10, {"FR", "b"}})), "distinct_exceeded");
  EXPECT_EQ(rule.Reason(rule.Judge({2, 90, {"FR", "c"}})), "amount_exceeded");
  EXPECT_EQ(rule.Reason(rule.Judge({3, 90, {"FR", "d"}})), "count_exceeded");
}

TEST_F(VelocityAgentTest, RaisesSaturationInsteadOfStayingSilent) {
  RuleHarness rule =
      Rule({{"window", Duration("60s")}, {"max_amount", Exact("100.00")}, {"capacity", Number(2)}});
  rule.Judge({0, 1});
  EXPECT_FALSE(rule.Judge({10 * kSecond, 1}).fired);
  const Verdict full = rule.Judge({20 * kSecond, 1});
  EXPECT_EQ(rule.Reason(full), "window_saturated");
  EXPECT_EQ(full.flags, kAtLeast);
  EXPECT_EQ(full.observed[VelocitySlots::kSum], 2);
  EXPECT_EQ(rule.Reason(rule.Judge({70 * kSecond, 1})), "window_saturated")
      << "the event at 10 s was dropped and still lies in the window";
  EXPECT_FALSE(rule.Judge({140 * kSecond, 1}).fired) << "the dropped ones have left";
}

TEST_F(VelocityAgentTest, FollowsTheExampleOfItsReadme) {
  RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(3)}});
  struct Row {
    int64_t time_us;
    int64_t count;
    std::string reason;
    uint8_t flags;
  };
  for (const Row& row : {Row{0, 1, "", 0}, Row{20 * kSecond, 2, "", 0}, Row{60 * kSecond, 3, "", 0},
                         Row{40 * kSecond, 4, "count_exceeded", 0}, Row{-kSecond, 4, "", kLate},
                         Row{80 * kSecond + 1, 3, "", 0}}) {
    const Verdict verdict = rule.Judge({row.time_us});
    EXPECT_EQ(verdict.observed[VelocitySlots::kCount], row.count) << row.time_us;
    EXPECT_EQ(rule.Reason(verdict), row.reason) << row.time_us;
    EXPECT_EQ(verdict.flags, row.flags) << row.time_us;
  }
}

TEST_F(VelocityAgentTest, JudgesABatchLikeItsEventsOneByOne) {
  const std::vector<Event> events = {{0, 100}, {5, 200}, {5, 300}, {1, 400}, {70 * kSecond, 500}};
  RuleHarness batch = Rule({{"window", Duration("60s")}, {"max_amount", Exact("3.00")}});
  RuleHarness single = Rule({{"window", Duration("60s")}, {"max_amount", Exact("3.00")}});
  const std::vector<Verdict> verdicts = batch.JudgeBatch(events);
  for (size_t i = 0; i < events.size(); ++i) {
    const Verdict verdict = single.Judge(events[i]);
    EXPECT_EQ(verdicts[i].fired, verdict.fired) << i;
    EXPECT_EQ(verdicts[i].observed, verdict.observed) << i;
  }
  EXPECT_TRUE(std::equal(batch.state().begin(), batch.state().end(), single.state().begin()));
}

}  // namespace
}  // namespace caracal::agents
