#include "agents/geo/geo_agent.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "agents/geo/geo_factory.h"
#include "agents/geo/sphere.h"
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
using testing::TextList;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr Location kParis = {48'856'600, 2'352'200};
constexpr Location kLyon = {45'764'000, 4'835'700};
constexpr Location kVersailles = {48'801'400, 2'130'100};
constexpr Location kNewYork = {40'712'800, -74'006'000};

StreamContext CardStream() {
  StreamContext stream;
  stream.topic = "payments";
  stream.attributes = AttributeSchema({"merchant", "country"});
  stream.has_location = true;
  return stream;
}

Event At(int64_t time_us, const Location& location) { return {time_us, {}, {"m", {}}, location}; }

Event In(int64_t time_us, std::string_view country) { return {time_us, {}, {"m", country}, {}}; }

double Real(const Verdict& verdict, uint8_t slot) {
  return std::bit_cast<double>(verdict.observed[slot]);
}

class GeoAgentTest : public ::testing::Test {
 protected:
  RuleHarness Rule(testing::NamedValues values) {
    return RuleHarness(factory_, MakeParameters(values), CardStream());
  }

  GeoFactory factory_;
};

TEST_F(GeoAgentTest, RaisesOnAWayFasterThanTheLimit) {
  RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}});
  EXPECT_EQ(rule.Judge(At(0, kParis)).flags, kInactive) << "no way yet";
  const Verdict verdict = rule.Judge(At(2 * kHour, kNewYork));
  EXPECT_EQ(rule.Reason(verdict), "impossible_speed");
  EXPECT_EQ(verdict.flags, 0);
  EXPECT_NEAR(Real(verdict, GeoSlots::kDistance), 5837.2, 0.2);
  EXPECT_NEAR(Real(verdict, GeoSlots::kSpeed), 2918.6, 0.2);
  EXPECT_EQ(verdict.observed[GeoSlots::kElapsed], 2 * kHour);
  EXPECT_FALSE(rule.Judge(At(10 * kHour, kParis)).fired) << "730 km/h";
}

TEST_F(GeoAgentTest, TakesTheWayInEitherDirectionOfTime) {
  RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}});
  rule.Judge(At(2 * kHour, kParis));
  const Verdict verdict = rule.Judge(At(0, kNewYork));
  EXPECT_TRUE(verdict.fired);
  EXPECT_EQ(verdict.observed[GeoSlots::kElapsed], 2 * kHour);
  EXPECT_TRUE(rule.Judge(At(2 * kHour, kParis)).fired) << "consecutive in log order";
}

TEST_F(GeoAgentTest, NoTimeAtAllRaisesOnlyBeyondTheDistance) {
  RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}, {"min_distance_km", Exact("20")}});
  rule.Judge(At(0, kParis));
  EXPECT_FALSE(rule.Judge(At(0, kVersailles)).fired) << "17 km";
  EXPECT_FALSE(rule.Judge(At(0, kVersailles)).fired);
  const Verdict verdict = rule.Judge(At(0, kLyon));
  EXPECT_EQ(rule.Reason(verdict), "impossible_speed");
  EXPECT_EQ(verdict.observed[GeoSlots::kElapsed], 0);
  EXPECT_GT(Real(verdict, GeoSlots::kSpeed), 900) << "finite, and above the limit";
}

TEST_F(GeoAgentTest, IgnoresShortWaysByDefault) {
  RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}});
  rule.Judge(At(0, kParis));
  EXPECT_FALSE(rule.Judge(At(0, {kParis.latitude_udeg + 89'000, kParis.longitude_udeg})).fired);
  EXPECT_TRUE(rule.Judge(At(0, {kParis.latitude_udeg - 89'000, kParis.longitude_udeg})).fired)
      << "19.8 km";
}

TEST_F(GeoAgentTest, IsInactiveWithoutALocationAndKeepsTheLastOne) {
  RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}});
  rule.Judge(At(0, kParis));
  const Verdict verdict = rule.Judge(In(1, "FR"));
  EXPECT_EQ(verdict.flags, kInactive);
  EXPECT_FALSE(verdict.fired);
  EXPECT_TRUE(rule.Judge(At(kHour, kNewYork)).fired);
}

TEST_F(GeoAgentTest, KnowsALocationAtTheOriginOfAllCoordinates) {
  RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}});
  rule.Judge(At(0, {0, 0}));
  EXPECT_TRUE(rule.Judge(At(0, {0, 1'000'000})).fired);
  EXPECT_TRUE(rule.Judge(At(0, {0, -180'000'000})).fired);
  EXPECT_TRUE(rule.Judge(At(0, {0, 0})).fired);
}

TEST_F(GeoAgentTest, SurvivesTheEndsOfTime) {
  RuleHarness rule = Rule({{"max_speed_kmh", Exact("900")}});
  rule.Judge(At(std::numeric_limits<int64_t>::min(), kParis));
  const Verdict verdict = rule.Judge(At(std::numeric_limits<int64_t>::max(), kNewYork));
  EXPECT_FALSE(verdict.fired);
  EXPECT_EQ(verdict.observed[GeoSlots::kElapsed], std::numeric_limits<int64_t>::max());
}

TEST_F(GeoAgentTest, RaisesOnAChangeOfCountryWithinTheWindow) {
  RuleHarness rule = Rule({{"country_change", Object({{"window", Duration("1h")}})}});
  EXPECT_FALSE(rule.Judge(In(0, "FR")).fired);
  EXPECT_FALSE(rule.Judge(In(1, "fr")).fired);
  const Verdict verdict = rule.Judge(In(kHour + 1, "US"));
  EXPECT_EQ(rule.Reason(verdict), "country_change");
  EXPECT_EQ(verdict.observed[GeoSlots::kFromCountry], ParseCountryCode("FR"));
  EXPECT_EQ(verdict.observed[GeoSlots::kCountry], ParseCountryCode("US"));
  EXPECT_FALSE(rule.Judge(In(2 * kHour + 2, "DE")).fired) << "US is 1 us too old";
}

TEST_F(GeoAgentTest, FlagsLateAndMissingCountries) {
  RuleHarness rule = Rule({{"country_change", Object({{"window", Duration("1h")}})}});
  rule.Judge(In(10 * kHour, "FR"));
  const Verdict late = rule.Judge(In(8 * kHour, "US"));
  EXPECT_FALSE(late.fired);
  EXPECT_EQ(late.flags, kLate);
  EXPECT_EQ(rule.Judge(In(10 * kHour, {})).flags, kInactive);
  EXPECT_EQ(rule.Judge(In(10 * kHour, "Atlantis")).flags, kInactive);
}

TEST_F(GeoAgentTest, JudgesLists) {
  RuleHarness rule = Rule({{"deny", TextList({"KP", "IR"})}, {"allow", TextList({"FR", "KP"})}});
  EXPECT_FALSE(rule.Judge(In(0, "FR")).fired);
  EXPECT_EQ(rule.Reason(rule.Judge(In(0, "IR"))), "country_denied");
  EXPECT_EQ(rule.Reason(rule.Judge(In(0, "KP"))), "country_denied") << "deny goes first";
  EXPECT_EQ(rule.Reason(rule.Judge(In(0, "DE"))), "country_not_allowed");
  EXPECT_EQ(rule.Judge(In(0, {})).flags, kInactive);
  EXPECT_TRUE(rule.state().empty());
}

TEST_F(GeoAgentTest, LateEventStillMeetsTheLists) {
  RuleHarness rule =
      Rule({{"deny", TextList({"KP"})}, {"country_change", Object({{"window", Duration("1h")}})}});
  rule.Judge(In(10 * kHour, "FR"));
  const Verdict verdict = rule.Judge(In(0, "KP"));
  EXPECT_EQ(rule.Reason(verdict), "country_denied");
  EXPECT_EQ(verdict.flags, kLate) << "late for the window";
}

TEST_F(GeoAgentTest, RaisesFarFromHomeOnceHomeIsKnown) {
  RuleHarness rule = Rule(
      {{"far_from_home_km", Object({{"distance", Exact("500")}, {"min_history", Number(3)}})}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(rule.Judge(At(i, i == 1 ? kLyon : kParis)).flags, kInactive);
  }
  const Verdict verdict = rule.Judge(At(9, kNewYork));
  EXPECT_EQ(rule.Reason(verdict), "far_from_home");
  const Location home = {(2 * kParis.latitude_udeg + kLyon.latitude_udeg) / 3,
                         (2 * kParis.longitude_udeg + kLyon.longitude_udeg) / 3};
  EXPECT_NEAR(Real(verdict, GeoSlots::kHomeDistance), DistanceKm(home, kNewYork), 0.001);
  EXPECT_TRUE(rule.Judge(At(9, kParis)).fired) << "New York has moved the home by a quarter";
}

TEST_F(GeoAgentTest, HasAHomeAstrideTheAntimeridian) {
  RuleHarness rule =
      Rule({{"far_from_home_km", Object({{"distance", Exact("30")}, {"min_history", Number(2)}})}});
  rule.Judge(At(0, {0, 179'900'000}));
  rule.Judge(At(0, {0, -179'900'000}));
  const Verdict verdict = rule.Judge(At(0, {0, 180'000'000}));
  EXPECT_FALSE(verdict.fired);
  EXPECT_NEAR(Real(verdict, GeoSlots::kHomeDistance), 0, 1e-3);
  EXPECT_TRUE(rule.Judge(At(0, {0, 0})).fired);
}

TEST_F(GeoAgentTest, HomeFollowsAMove) {
  RuleHarness rule = Rule(
      {{"far_from_home_km", Object({{"distance", Exact("100")}, {"min_history", Number(1)}})}});
  for (int i = 0; i < 5'000; ++i) rule.Judge(At(0, kParis));
  int strange = 0;
  while (rule.Judge(At(0, kLyon)).fired) ++strange;
  EXPECT_GT(strange, 500);
  EXPECT_LT(strange, 2'000);
}

TEST_F(GeoAgentTest, GivesTheFirstReasonThatApplies) {
  RuleHarness rule = Rule(
      {{"max_speed_kmh", Exact("900")},
       {"country_change", Object({{"window", Duration("1h")}})},
       {"deny", TextList({"US"})},
       {"far_from_home_km", Object({{"distance", Exact("500")}, {"min_history", Number(1)}})}});
  const auto judge = [&rule](int64_t time_us, std::string_view country, const Location& location) {
    return rule.Reason(rule.Judge({time_us, {}, {"m", country}, location}));
  };
  EXPECT_EQ(judge(0, "FR", kParis), "");
  EXPECT_EQ(judge(0, "US", kNewYork), "impossible_speed");
  EXPECT_EQ(judge(0, "FR", kNewYork), "country_change");
  EXPECT_EQ(judge(5 * kHour, "US", kNewYork), "country_denied");
  EXPECT_EQ(judge(50 * kHour, "FR", kParis), "far_from_home");
}

}  // namespace
}  // namespace caracal::agents
