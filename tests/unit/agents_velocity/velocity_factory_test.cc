#include "agents/velocity/velocity_factory.h"

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

StreamContext PaymentStream() {
  StreamContext stream;
  stream.topic = "payments";
  stream.attributes = AttributeSchema({"merchant"});
  return stream;
}

class VelocityFactoryTest : public ::testing::Test {
 protected:
  RuleHarness Rule(testing::NamedValues values) {
    return RuleHarness(factory_, MakeParameters(values), PaymentStream());
  }
  std::string Error(testing::NamedValues values, const StreamContext& stream = PaymentStream()) {
    return BindError(factory_, MakeParameters(values), stream);
  }

  VelocityFactory factory_;
};

std::vector<std::string> Names(const std::vector<ObservedField>& fields) {
  std::vector<std::string> names;
  for (const ObservedField& field : fields) names.push_back(field.name);
  return names;
}

TEST_F(VelocityFactoryTest, KeepsACountOfFiveInFortyBytes) {
  const RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(5)}});
  EXPECT_EQ(rule.rule().state().size, 28U);
  EXPECT_EQ(rule.rule().state().align, 4U);
}

TEST_F(VelocityFactoryTest, DescribesACountRule) {
  const RuleHarness rule = Rule({{"window", Duration("60s")}, {"max_count", Number(5)}});
  EXPECT_EQ(rule.rule().limit_json(), R"({"max_count":5})");
  EXPECT_EQ(Names(rule.rule().observed()), (std::vector<std::string>{"count", "window_s"}));
  EXPECT_EQ(rule.rule().layout_fingerprint(), "window_us=60000000 capacity=6");
  EXPECT_FALSE(rule.rule().accumulates_money());
}

TEST_F(VelocityFactoryTest, DescribesARuleWithEveryLimit) {
  const RuleHarness rule =
      Rule({{"window", Duration("1h")},
            {"max_count", Number(99)},
            {"max_amount", Exact("1000")},
            {"distinct", Object({{"attribute", Text("merchant")}, {"max", Number(3)}})},
            {"refunds", Text("include")}});
  EXPECT_EQ(rule.rule().limit_json(),
            R"({"max_count":99,"max_amount":"1000.00","distinct":{"max":3}})");
  EXPECT_EQ(Names(rule.rule().observed()),
            (std::vector<std::string>{"count", "sum", "distinct", "window_s"}));
  EXPECT_EQ(rule.rule().layout_fingerprint(),
            "window_us=3600000000 capacity=100 amounts=scale2,refunds values=merchant");
  EXPECT_TRUE(rule.rule().accumulates_money());
}

TEST_F(VelocityFactoryTest, KeepsEnoughEventsUnlessToldOtherwise) {
  const auto fingerprint = [this](testing::NamedValues values) {
    return Rule(values).rule().layout_fingerprint();
  };
  const auto window = Duration("60s");
  const auto amount = Exact("1.00");
  EXPECT_THAT(fingerprint({{"window", window}, {"max_amount", amount}}), HasSubstr("capacity=64"));
  EXPECT_THAT(fingerprint({{"window", window}, {"max_amount", amount}, {"max_count", Number(80)}}),
              HasSubstr("capacity=81"));
  EXPECT_THAT(
      fingerprint({{"window", window},
                   {"distinct", Object({{"attribute", Text("merchant")}, {"max", Number(70)}})}}),
      HasSubstr("capacity=71"));
  EXPECT_THAT(fingerprint({{"window", window}, {"max_count", Number(5)}, {"capacity", Number(10)}}),
              HasSubstr("capacity=10"));
}

TEST_F(VelocityFactoryTest, RefusesARuleWithoutLimit) {
  EXPECT_THAT(Error({{"window", Duration("60s")}}), HasSubstr("max_count: "));
}

TEST_F(VelocityFactoryTest, RefusesACapacityThatCannotSeeTheLimit) {
  EXPECT_THAT(
      Error({{"window", Duration("60s")}, {"max_count", Number(5)}, {"capacity", Number(5)}}),
      HasSubstr("capacity: 5 events are too few to see a limit exceeded; give at least 6"));
}

TEST_F(VelocityFactoryTest, RefusesMoreThan64KiBPerKey) {
  EXPECT_THAT(Error({{"window", Duration("1d")}, {"max_count", Number(9000)}}),
              HasSubstr("this rule can keep 8190"));
  EXPECT_EQ(Error({{"window", Duration("1d")}, {"max_count", Number(8189)}}), "");
  EXPECT_EQ(Error({{"window", Duration("60s")}, {"max_count", Number(15'999)}}), "");
}

TEST_F(VelocityFactoryTest, RefusesWhatTheStreamDoesNotMap) {
  EXPECT_THAT(Error({{"window", Duration("60s")},
                     {"distinct", Object({{"attribute", Text("device")}, {"max", Number(3)}})}}),
              HasSubstr("distinct: stream 'payments' maps no attribute 'device'"));
  StreamContext without_amount = PaymentStream();
  without_amount.has_amount = false;
  EXPECT_THAT(Error({{"window", Duration("60s")}, {"max_amount", Exact("1")}}, without_amount),
              HasSubstr("max_amount: stream 'payments' maps no amount"));
}

TEST_F(VelocityFactoryTest, RefusesAnAmountFinerThanTheStream) {
  EXPECT_THAT(Error({{"window", Duration("60s")}, {"max_amount", Exact("0.001")}}),
              HasSubstr("max_amount: 0.001 has more than 2 digits"));
}

}  // namespace
}  // namespace caracal::agents
