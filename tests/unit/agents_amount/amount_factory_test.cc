#include "agents/amount/amount_factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/rule_harness.h"

namespace caracal::agents {
namespace {

using testing::BindError;
using testing::Duration;
using testing::Exact;
using ::testing::HasSubstr;
using testing::MakeParameters;
using testing::Number;
using testing::Object;
using testing::RuleHarness;
using testing::Text;

class AmountFactoryTest : public ::testing::Test {
 protected:
  RuleHarness Rule(testing::NamedValues values) {
    return RuleHarness(factory_, MakeParameters(values), Stream());
  }
  std::string Error(testing::NamedValues values) {
    return BindError(factory_, MakeParameters(values), Stream());
  }
  static StreamContext Stream() {
    StreamContext stream;
    stream.topic = "payments";
    return stream;
  }

  AmountFactory factory_;
};

std::vector<std::string> Names(const std::vector<ObservedField>& fields) {
  std::vector<std::string> names;
  for (const ObservedField& field : fields) names.push_back(field.name);
  return names;
}

TEST_F(AmountFactoryTest, DescribesFixedLimits) {
  const RuleHarness rule = Rule({{"above", Exact("4000.00")}, {"below", Exact("1")}});
  EXPECT_EQ(rule.rule().limit_json(), R"({"above":"4000.00","below":"1.00"})");
  EXPECT_EQ(Names(rule.rule().observed()), std::vector<std::string>{"amount"});
  EXPECT_EQ(rule.rule().state().size, 0U);
  EXPECT_FALSE(rule.rule().accumulates_money());
}

TEST_F(AmountFactoryTest, DescribesAProfile) {
  const RuleHarness rule =
      Rule({{"profile", Object({{"ratio", Exact("2.5")}, {"floor", Exact("500")}})}});
  EXPECT_EQ(rule.rule().limit_json(),
            R"({"profile":{"ratio":2.5,"min_history":3,"floor":"500.00"}})");
  EXPECT_EQ(Names(rule.rule().observed()),
            (std::vector<std::string>{"amount", "mean", "ratio", "history"}));
  EXPECT_EQ(rule.rule().layout_fingerprint(), "profile history=50 scale=2");
  EXPECT_EQ(rule.rule().state().size, 416U);
  EXPECT_TRUE(rule.rule().accumulates_money());
}

TEST_F(AmountFactoryTest, DescribesAZscore) {
  const RuleHarness rule =
      Rule({{"zscore", Object({{"half_life", Duration("7d")}, {"above", Exact("4")}})},
            {"refunds", Text("include")}});
  EXPECT_EQ(rule.rule().limit_json(), R"({"zscore":{"above":4,"min_history":10}})");
  EXPECT_EQ(Names(rule.rule().observed()),
            (std::vector<std::string>{"amount", "mean", "deviation", "z", "history"}));
  EXPECT_EQ(rule.rule().layout_fingerprint(), "zscore half_life_us=604800000000 scale=2 refunds");
  EXPECT_EQ(rule.rule().state().size, 32U);
  EXPECT_TRUE(rule.rule().accumulates_money());
}

TEST_F(AmountFactoryTest, DescribesRoundAmounts) {
  const RuleHarness rule = Rule({{"round_amount", Object({{"multiple_of", Exact("100")}})}});
  EXPECT_EQ(rule.rule().limit_json(),
            R"({"round_amount":{"multiple_of":"100.00","min":"100.00"}})");
  EXPECT_EQ(rule.rule().state().size, 0U);
  EXPECT_FALSE(rule.rule().accumulates_money());
}

TEST_F(AmountFactoryTest, RefusesAnythingButExactlyOneKind) {
  EXPECT_THAT(Error({}), HasSubstr("this one is of none"));
  EXPECT_THAT(
      Error({{"above", Exact("1")}, {"profile", Object({{"ratio", Exact("3")}})}}),
      HasSubstr("above: an amount rule is of exactly one kind and this one is of above/below and "
                "profile"));
}

TEST_F(AmountFactoryTest, RefusesAStreamWithoutAmount) {
  StreamContext stream = Stream();
  stream.has_amount = false;
  EXPECT_THAT(BindError(factory_, MakeParameters({{"above", Exact("1")}}), stream),
              HasSubstr("stream 'payments' maps no amount"));
}

TEST_F(AmountFactoryTest, RefusesProfilesThatCannotWork) {
  EXPECT_THAT(Error({{"profile", Object({{"ratio", Exact("0")}})}}), HasSubstr("profile: ratio"));
  EXPECT_THAT(Error({{"profile", Object({{"ratio", Exact("3")}, {"history", Number(2)}})}}),
              HasSubstr("profile: min_history 3 can never be reached with history 2"));
  EXPECT_THAT(Error({{"profile", Object({{"ratio", Exact("3")}, {"floor", Exact("0.001")}})}}),
              HasSubstr("floor: 0.001 has more than 2 digits"));
}

TEST_F(AmountFactoryTest, RefusesOtherValuesThatCannotWork) {
  EXPECT_THAT(Error({{"zscore", Object({{"half_life", Duration("1d")}, {"above", Exact("0")}})}}),
              HasSubstr("zscore: above must be greater than 0"));
  EXPECT_THAT(Error({{"round_amount", Object({{"multiple_of", Exact("0")}})}}),
              HasSubstr("round_amount: "));
  EXPECT_THAT(Error({{"below", Exact("0.005")}}), HasSubstr("below: 0.005 has more than 2 digits"));
}

}  // namespace
}  // namespace caracal::agents
