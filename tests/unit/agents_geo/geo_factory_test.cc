#include "agents/geo/geo_factory.h"

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
using testing::TextList;

class GeoFactoryTest : public ::testing::Test {
 protected:
  GeoFactoryTest() {
    stream_.topic = "payments";
    stream_.attributes = AttributeSchema({"country"});
    stream_.has_location = true;
  }

  RuleHarness Rule(testing::NamedValues values) {
    return RuleHarness(factory_, MakeParameters(values), stream_);
  }
  std::string Error(testing::NamedValues values) {
    return BindError(factory_, MakeParameters(values), stream_);
  }

  GeoFactory factory_;
  StreamContext stream_;
};

std::vector<std::string> Names(const std::vector<ObservedField>& fields) {
  std::vector<std::string> names;
  for (const ObservedField& field : fields) names.push_back(field.name);
  return names;
}

TEST_F(GeoFactoryTest, DescribesASpeedRule) {
  const RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}});
  EXPECT_EQ(rule.rule().limit_json(), R"({"max_speed_kmh":900,"min_distance_km":10})");
  EXPECT_EQ(Names(rule.rule().observed()),
            (std::vector<std::string>{"distance_km", "speed_kmh", "elapsed_s"}));
  EXPECT_EQ(rule.rule().layout_fingerprint(), "last_location");
  EXPECT_EQ(rule.rule().state().size, 16U);
  EXPECT_FALSE(rule.rule().accumulates_money());
}

TEST_F(GeoFactoryTest, DescribesARuleWithEveryCondition) {
  const RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")},
                                 {"min_distance_km", Exact("2.5")},
                                 {"country_change", Object({{"window", Duration("90m")}})},
                                 {"deny", TextList({"KP", "IR"})},
                                 {"allow", TextList({"FR"})},
                                 {"far_from_home_km", Object({{"distance", Exact("500")}})}});
  EXPECT_EQ(rule.rule().limit_json(),
            R"({"max_speed_kmh":900,"min_distance_km":2.5,"country_change":{"window":"90m"},)"
            R"("deny":["IR","KP"],"allow":["FR"],)"
            R"("far_from_home_km":{"distance":500,"min_history":10}})");
  EXPECT_EQ(Names(rule.rule().observed()),
            (std::vector<std::string>{"distance_km", "speed_kmh", "elapsed_s", "from_country",
                                      "to_country", "home_distance_km"}));
  EXPECT_EQ(rule.rule().layout_fingerprint(), "last_location country_window_us=5400000000 home");
  EXPECT_EQ(rule.rule().state().size, 72U);
}

TEST_F(GeoFactoryTest, DescribesAStatelessListRule) {
  const RuleHarness rule = Rule({{"deny", TextList({"KP"})}});
  EXPECT_EQ(rule.rule().limit_json(), R"({"deny":["KP"]})");
  EXPECT_EQ(Names(rule.rule().observed()), std::vector<std::string>{"country"});
  EXPECT_EQ(rule.rule().state().size, 0U);
}

TEST_F(GeoFactoryTest, RefusesARuleWithoutCondition) {
  EXPECT_THAT(Error({}), HasSubstr("a geo rule needs at least one condition"));
  EXPECT_THAT(Error({{"min_distance_km", Exact("5")}}), HasSubstr("at least one condition"));
}

TEST_F(GeoFactoryTest, RefusesWhatTheStreamDoesNotMap) {
  stream_.has_location = false;
  EXPECT_THAT(Error({{"max_speed_kmh", Exact("900")}}),
              HasSubstr("max_speed_kmh: stream 'payments' maps no location"));
  EXPECT_THAT(Error({{"far_from_home_km", Object({{"distance", Exact("5")}})}}),
              HasSubstr("far_from_home_km: stream 'payments' maps no location"));
  EXPECT_EQ(Error({{"deny", TextList({"KP"})}}), "") << "needs the country only";
  stream_.has_location = true;
  stream_.attributes = AttributeSchema({"merchant"});
  EXPECT_THAT(Error({{"country_change", Object({{"window", Duration("1h")}})}}),
              HasSubstr("country_change: stream 'payments' maps no attribute 'country'"));
  EXPECT_THAT(Error({{"deny", TextList({"KP"})}}), HasSubstr("deny: stream"));
  EXPECT_THAT(Error({{"allow", TextList({"KP"})}}), HasSubstr("allow: stream"));
  EXPECT_EQ(Error({{"max_speed_kmh", Exact("900")}}), "") << "needs the location only";
}

TEST_F(GeoFactoryTest, RefusesValuesThatCannotWork) {
  EXPECT_THAT(Error({{"max_speed_kmh", Exact("0")}}), HasSubstr("max_speed_kmh: the speed must"));
  EXPECT_THAT(Error({{"deny", TextList({"FR", "fr"})}}),
              HasSubstr("deny: 'fr' is not a country code"));
  EXPECT_THAT(Error({{"allow", TextList({"France"})}}),
              HasSubstr("allow: 'France' is not a country code"));
  EXPECT_THAT(Error({{"allow", TextList({})}}), HasSubstr("allow: the list is empty"));
}

}  // namespace
}  // namespace caracal::agents
