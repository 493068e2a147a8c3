#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "agents/amount/amount_factory.h"
#include "agents/amount/amount_profile.h"
#include "agents/amount/amount_reason.h"
#include "agents/amount/amount_zscore.h"
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

constexpr int64_t kHour = 3'600'000'000;

double Real(const Verdict& verdict, uint8_t slot) {
  return std::bit_cast<double>(verdict.observed[slot]);
}

class AmountAgentTest : public ::testing::Test {
 protected:
  RuleHarness Rule(testing::NamedValues values) {
    return RuleHarness(factory_, MakeParameters(values), StreamContext{});
  }
  RuleHarness ReferenceProfile() {
    return Rule({{"profile", Object({{"history", Number(50)},
                                     {"min_history", Number(3)},
                                     {"ratio", Exact("3")},
                                     {"floor", Exact("500.00")}})},
                 {"refunds", Text("include")}});
  }
  // The verdict on `amount` after `before`.
  Verdict After(RuleHarness rule, const std::vector<int64_t>& before, int64_t amount) {
    for (const int64_t earlier : before) rule.Judge({0, earlier});
    return rule.Judge({0, amount});
  }

  AmountFactory factory_;
};

TEST_F(AmountAgentTest, RaisesStrictlyAboveFourThousand) {
  RuleHarness rule = Rule({{"above", Exact("4000.00")}});
  EXPECT_FALSE(rule.Judge({0, 400'000}).fired);
  const Verdict verdict = rule.Judge({0, 400'001});
  EXPECT_EQ(rule.Reason(verdict), "above_limit");
  EXPECT_EQ(verdict.observed[kAmountSlot], 400'001);
}

TEST_F(AmountAgentTest, RaisesStrictlyBelowAndOnRefunds) {
  RuleHarness rule = Rule({{"above", Exact("4000")}, {"below", Exact("1.00")}});
  EXPECT_FALSE(rule.Judge({0, 100}).fired);
  EXPECT_EQ(rule.Reason(rule.Judge({0, 99})), "below_limit");
  EXPECT_EQ(rule.Reason(rule.Judge({0, -5'000})), "below_limit");
  EXPECT_EQ(rule.Reason(rule.Judge({0, 500'000})), "above_limit");
}

TEST_F(AmountAgentTest, IsInactiveWithoutAnAmount) {
  RuleHarness limits = Rule({{"below", Exact("1.00")}});
  RuleHarness profile = ReferenceProfile();
  for (RuleHarness* rule : {&limits, &profile}) {
    const Verdict verdict = rule->Judge({0});
    EXPECT_FALSE(verdict.fired);
    EXPECT_EQ(verdict.flags, kInactive);
  }
}

TEST_F(AmountAgentTest, RaisesOnRoundAmountsFromTheMinimum) {
  RuleHarness rule = Rule(
      {{"round_amount", Object({{"multiple_of", Exact("100.00")}, {"min", Exact("500.00")}})}});
  EXPECT_FALSE(rule.Judge({0, 40'000}).fired) << "below min";
  EXPECT_EQ(rule.Reason(rule.Judge({0, 50'000})), "round_amount") << "min itself";
  EXPECT_FALSE(rule.Judge({0, 50'001}).fired);
  EXPECT_FALSE(rule.Judge({0, 0}).fired);
  EXPECT_FALSE(rule.Judge({0, -50'000}).fired);
  EXPECT_EQ(rule.Judge({0}).flags, kInactive);
}

TEST_F(AmountAgentTest, ProfileNeedsThreePriorAmounts) {
  const Verdict third = After(ReferenceProfile(), {10'000, 10'000}, 1'000'000);
  EXPECT_FALSE(third.fired);
  EXPECT_EQ(third.flags, kInactive);
  const Verdict fourth = After(ReferenceProfile(), {10'000, 10'000, 10'000}, 1'000'000);
  EXPECT_TRUE(fourth.fired);
  EXPECT_EQ(fourth.flags, 0);
  EXPECT_EQ(fourth.observed[ProfileAgent::kHistorySlot], 3);
}

TEST_F(AmountAgentTest, ProfileIsStrictAtThreeTimesTheMean) {
  const std::vector<int64_t> before = {20'000, 30'000, 25'000};  // mean 250.00
  EXPECT_FALSE(After(ReferenceProfile(), before, 75'000).fired);
  const Verdict verdict = After(ReferenceProfile(), before, 75'001);
  EXPECT_TRUE(verdict.fired);
  EXPECT_EQ(verdict.observed[kAmountSlot], 75'001);
  EXPECT_EQ(verdict.observed[ProfileAgent::kMeanSlot], 25'000);
  EXPECT_NEAR(Real(verdict, ProfileAgent::kRatioSlot), 3.00004, 1e-9);
}

TEST_F(AmountAgentTest, ProfileComparesExactlyWhereTheMeanIsAFraction) {
  const std::vector<int64_t> before = {20'000, 20'000, 20'001};  // 3 x mean = 600.01
  EXPECT_FALSE(After(ReferenceProfile(), before, 60'001).fired);
  EXPECT_TRUE(After(ReferenceProfile(), before, 60'002).fired);
}

TEST_F(AmountAgentTest, ProfileIsStrictAtTheFloor) {
  const std::vector<int64_t> before = {100, 100, 100};
  EXPECT_FALSE(After(ReferenceProfile(), before, 50'000).fired);
  EXPECT_TRUE(After(ReferenceProfile(), before, 50'001).fired);
}

TEST_F(AmountAgentTest, ProfileForgetsTheFiftyFirstAmount) {
  std::vector<int64_t> before(50, 20'000);
  before[0] = 1'000'000;  // mean 396.00: three times are 1188.00
  EXPECT_FALSE(After(ReferenceProfile(), before, 60'001).fired);
  before.push_back(20'000);  // the large one has left: three times are 600.00
  EXPECT_TRUE(After(ReferenceProfile(), before, 60'001).fired);
  EXPECT_FALSE(After(ReferenceProfile(), before, 60'000).fired);
}

TEST_F(AmountAgentTest, ProfileExcludesTheCurrentAmountAndRemembersItAfterwards) {
  RuleHarness rule = ReferenceProfile();
  for (int i = 0; i < 3; ++i) rule.Judge({0, 20'000});
  EXPECT_TRUE(rule.Judge({0, 100'000}).fired);
  const Verdict next = rule.Judge({0, 100'000});  // mean of 4 is 400.00
  EXPECT_FALSE(next.fired);
  EXPECT_EQ(next.observed[ProfileAgent::kMeanSlot], 40'000);
}

TEST_F(AmountAgentTest, ProfileIgnoresRefundsUnlessIncluded) {
  for (const bool include : {false, true}) {
    RuleHarness rule = Rule({{"profile", Object({{"ratio", Exact("3")}})},
                             {"refunds", Text(include ? "include" : "exclude")}});
    for (int i = 0; i < 3; ++i) rule.Judge({0, 20'000});
    const Verdict refund = rule.Judge({0, -20'000});
    EXPECT_EQ(refund.flags, include ? 0 : kInactive);
    EXPECT_EQ(rule.Judge({0, 0}).flags, include ? 0 : kInactive);
    EXPECT_EQ(rule.Judge({0, 50'000}).fired, include) << "three times the mean of 80.00";
  }
}

TEST_F(AmountAgentTest, ProfileWithAMeanBelowZeroRaisesAboveTheFloor) {
  const std::vector<int64_t> before = {-10'000, -10'000, -10'001};
  const Verdict verdict = After(ReferenceProfile(), before, 50'001);
  EXPECT_TRUE(verdict.fired);
  EXPECT_EQ(verdict.observed[ProfileAgent::kMeanSlot], -10'000);
  EXPECT_EQ(verdict.observed[ProfileAgent::kRatioSlot], 0);
}

TEST_F(AmountAgentTest, ProfileStaysExactAtTheLargestValues) {
  RuleHarness rule = Rule({{"profile", Object({{"history", Number(8000)},
                                               {"min_history", Number(8000)},
                                               {"ratio", Exact("0.999999999999999999")}})}});
  for (int i = 0; i < 8001; ++i) rule.Judge({0, kMaxAmount});
  EXPECT_TRUE(rule.Judge({0, kMaxAmount}).fired);
  EXPECT_FALSE(rule.Judge({0, kMaxAmount - 1}).fired);
}

class ZscoreTest : public AmountAgentTest {
 protected:
  RuleHarness Zscore(int64_t min_history, const char* above) {
    return Rule({{"zscore", Object({{"half_life", Duration("1h")},
                                    {"min_history", Number(min_history)},
                                    {"above", Exact(above)}})}});
  }
};

TEST_F(ZscoreTest, JudgesByMeanAndDeviationOfTheEarlierAmounts) {
  RuleHarness rule = Zscore(4, "3");
  for (const int64_t amount : {200, 400, 400, 600}) {
    EXPECT_EQ(rule.Judge({0, amount}).flags, kInactive);
  }
  // Mean 400, variance 20,000: three deviations over the mean are 824.26.
  RuleHarness just_below = Zscore(4, "3");
  for (const int64_t amount : {200, 400, 400, 600}) just_below.Judge({0, amount});
  EXPECT_FALSE(just_below.Judge({0, 824}).fired);
  const Verdict verdict = rule.Judge({0, 825});
  EXPECT_EQ(rule.Reason(verdict), "above_zscore");
  EXPECT_EQ(verdict.flags, 0);
  EXPECT_EQ(verdict.observed[kAmountSlot], 825);
  EXPECT_EQ(verdict.observed[ZscoreAgent::kMeanSlot], 400);
  EXPECT_EQ(verdict.observed[ZscoreAgent::kDeviationSlot], 141);
  EXPECT_NEAR(Real(verdict, ZscoreAgent::kZSlot), 425 / 141.4213562373095, 1e-12);
  EXPECT_EQ(verdict.observed[ZscoreAgent::kHistorySlot], 4);
}

TEST_F(ZscoreTest, IsStrictAtItsLimit) {
  for (const int64_t amount : {500, 501}) {
    RuleHarness rule = Zscore(2, "3");
    rule.Judge({0, 100});
    rule.Judge({0, 300});  // mean 200, deviation 100
    EXPECT_EQ(rule.Judge({0, amount}).fired, amount == 501) << amount;
  }
}

TEST_F(ZscoreTest, WeighsAnAmountOneHalfLifeOldByHalf) {
  RuleHarness rule = Zscore(2, "1000");
  rule.Judge({0, 100});
  rule.Judge({kHour, 400});
  // Weights 1/2 and 1: mean 300, variance (0.5 x 200^2 + 100^2) / 1.5 = 20,000.
  const Verdict verdict = rule.Judge({kHour, 300});
  EXPECT_EQ(verdict.observed[ZscoreAgent::kMeanSlot], 300);
  EXPECT_EQ(verdict.observed[ZscoreAgent::kDeviationSlot], 141);
}

TEST_F(ZscoreTest, OlderEventAgesNothing) {
  RuleHarness in_order = Zscore(2, "1000");
  RuleHarness out_of_order = Zscore(2, "1000");
  for (const int64_t amount : {100, 400, 900}) in_order.Judge({10 * kHour, amount});
  out_of_order.Judge({10 * kHour, 100});
  out_of_order.Judge({2 * kHour, 400});
  out_of_order.Judge({10 * kHour, 900});
  EXPECT_EQ(in_order.Judge({10 * kHour, 1}).observed, out_of_order.Judge({10 * kHour, 1}).observed);
}

TEST_F(ZscoreTest, ZeroVarianceNeverRaises) {
  RuleHarness rule = Zscore(2, "0.001");
  for (int64_t i = 0; i < 100; ++i) rule.Judge({i * 12'345'678, 33'333});
  const Verdict verdict = rule.Judge({kHour, kMaxAmount});
  EXPECT_FALSE(verdict.fired);
  EXPECT_EQ(verdict.observed[ZscoreAgent::kZSlot], 0);
  EXPECT_EQ(verdict.flags, 0) << "judged, and found without deviation";
}

TEST_F(ZscoreTest, JudgesTheEventAfterAPauseAndThenStartsANewHistory) {
  RuleHarness rule = Zscore(2, "3");
  for (const int64_t amount : {100, 110, 90, 100}) rule.Judge({0, amount});
  EXPECT_TRUE(rule.Judge({100 * kHour, 10'000}).fired);
  const Verdict next = rule.Judge({100 * kHour, 20'000});
  EXPECT_EQ(next.flags, kInactive);
  EXPECT_EQ(next.observed[ZscoreAgent::kHistorySlot], 1);
}

TEST_F(ZscoreTest, KeepsAHistoryOfHalfAnAmount) {
  RuleHarness rule = Zscore(2, "3");
  rule.Judge({0, 100});
  rule.Judge({kHour, 200});
  EXPECT_EQ(rule.Judge({kHour, 1}).observed[ZscoreAgent::kHistorySlot], 2);
  RuleHarness lapsed = Zscore(2, "3");
  lapsed.Judge({0, 100});
  lapsed.Judge({kHour + 1, 200});
  EXPECT_EQ(lapsed.Judge({kHour + 1, 1}).observed[ZscoreAgent::kHistorySlot], 1);
}

TEST_F(ZscoreTest, SurvivesTheEndsOfTime) {
  RuleHarness rule = Zscore(2, "3");
  for (const int64_t time :
       {std::numeric_limits<int64_t>::min(), int64_t{0}, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    EXPECT_FALSE(rule.Judge({time, kMaxAmount}).fired);
  }
  EXPECT_EQ(rule.Judge({0, 1}).observed[ZscoreAgent::kHistorySlot], 2);
}

TEST_F(ZscoreTest, IgnoresRefunds) {
  RuleHarness rule = Zscore(2, "3");
  rule.Judge({0, 100});
  EXPECT_EQ(rule.Judge({kHour, -100}).flags, kInactive);
  EXPECT_EQ(rule.Judge({0, 100}).observed[ZscoreAgent::kHistorySlot], 1);
}

}  // namespace
}  // namespace caracal::agents
