#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agents/geo/geo_agent.h"
#include "agents/geo/geo_factory.h"
#include "tests/support/random_history.h"
#include "tests/support/rule_harness.h"

// The agent against the definition: a list of all events ever, walked anew each time, and distances
// by libm.
namespace caracal::agents {
namespace {

using testing::Event;
using testing::HistoryLength;
using testing::HistoryTimes;
using testing::PropertyHistories;
using testing::PropertySeed;
using testing::Random;
using testing::RuleHarness;
using testing::SeedTrace;
using testing::Shares;

// A way in which the definition is got wrong; the comparison must notice each.
struct Mutation {
  std::string name = "none";
  bool open_edge = false;       // a country seen exactly W ago has left
  bool drops_own = false;       // the event itself is never remembered
  bool includes_own = false;    // home contains the location it is judged by
  bool time_order = false;      // "previous" goes by event time
  bool allows_no_time = false;  // dt = 0 raises nothing
  int64_t window_change = 0;    // microseconds
  int64_t min_history_change = 0;
  double speed_factor = 1;
  double min_distance_factor = 1;

  friend std::ostream& operator<<(std::ostream& out, const Mutation& mutation) {
    return out << mutation.name;
  }
};

struct Case {
  std::optional<int64_t> max_speed_kmh;
  int64_t min_distance_km = 0;
  std::optional<int64_t> window_us;
  std::set<std::string> deny;
  std::set<std::string> allow;
  std::optional<int64_t> home_distance_km;
  int64_t min_history = 1;
  std::vector<Event> events;
};

struct Expected {
  std::string reason;
  uint8_t flags = 0;
  std::string from;
  // A distance or a speed is too near its limit for two ways of computing it to agree.
  bool undecided = false;
};

Location RandomLocation(Random& random, const std::vector<Event>& before) {
  static const std::vector<Location> kCities = {{48'856'600, 2'352'200},
                                                {48'801'400, 2'130'100},
                                                {45'764'000, 4'835'700},
                                                {40'712'800, -74'006'000},
                                                {-16'500'000, 179'900'000},
                                                {-16'500'000, -179'900'000},
                                                {89'990'000, 0},
                                                {0, 0}};
  if (!before.empty() && before.back().location && random.Percent(20))
    return *before.back().location;
  if (random.Percent(10)) {
    return {static_cast<int32_t>(random.Between(-90'000'000, 90'000'000)),
            static_cast<int32_t>(random.Between(-180'000'000, 180'000'000))};
  }
  Location location = random.Pick(kCities);
  location.latitude_udeg += static_cast<int32_t>(random.Between(-9'000, 9'000));
  location.longitude_udeg += static_cast<int32_t>(random.Between(-90'000, 90'000));
  return location;
}

Case MakeCase(uint64_t seed, Shares* shares) {
  static const std::vector<int64_t> kWindows = {1, 1'000, 60'000'000, 3'600'000'000,
                                                86'400'000'000};
  static const std::vector<std::string_view> kCountries = {"FR", "FR", "fr", "DE",      "US",
                                                           "KP", "",   {},   "Atlantis"};
  Random random(seed);
  Case history;
  const int64_t window_us = random.Pick(kWindows);
  const int64_t conditions = random.Between(1, 31);
  if ((conditions & 1) != 0) history.max_speed_kmh = random.Pick<int64_t>({100, 900, 5000});
  history.min_distance_km = random.Pick<int64_t>({0, 1, 17, 300});
  if ((conditions & 2) != 0) history.window_us = window_us;
  if ((conditions & 4) != 0) history.deny = {"KP", "IR"};
  if ((conditions & 8) != 0) history.allow = {"FR", "DE", "KP"};
  if ((conditions & 16) != 0) history.home_distance_km = random.Pick<int64_t>({0, 50, 500, 5000});
  history.min_history = random.Between(1, 6);
  const size_t length = HistoryLength(random);
  const std::vector<int64_t> times = HistoryTimes(random, length, window_us);
  if (shares != nullptr) shares->Count(times, window_us);
  for (const int64_t time : times) {
    Event event{time, {}, {random.Pick(kCountries)}};
    if (random.Percent(85)) event.location = RandomLocation(random, history.events);
    history.events.push_back(event);
  }
  return history;
}

RuleHarness MakeRule(const GeoFactory& factory, const Case& history) {
  Parameters parameters;
  if (history.max_speed_kmh) parameters.Set("max_speed_kmh", Decimal{*history.max_speed_kmh, 0});
  parameters.Set("min_distance_km", Decimal{history.min_distance_km, 0});
  if (history.window_us) {
    parameters.Set("country_change", testing::Object({{"window", *history.window_us}}));
  }
  const auto list = [](const std::set<std::string>& texts) {
    return std::vector<std::string>(texts.begin(), texts.end());
  };
  if (!history.deny.empty()) parameters.Set("deny", list(history.deny));
  if (!history.allow.empty()) parameters.Set("allow", list(history.allow));
  if (history.home_distance_km) {
    parameters.Set("far_from_home_km",
                   testing::Object({{"distance", Decimal{*history.home_distance_km, 0}},
                                    {"min_history", history.min_history}}));
  }
  StreamContext stream;
  stream.attributes = AttributeSchema({"country"});
  stream.has_location = true;
  return RuleHarness(factory, parameters, stream);
}

double Kilometres(const Location& a, const Location& b) {
  const double radians = std::acos(-1.0) / 180e6;
  const double s = std::sin((a.latitude_udeg - b.latitude_udeg) * radians / 2);
  const double t =
      std::sin((static_cast<double>(a.longitude_udeg) - b.longitude_udeg) * radians / 2);
  const double h =
      s * s + std::cos(a.latitude_udeg * radians) * std::cos(b.latitude_udeg * radians) * t * t;
  return 2 * 6371.0088 * std::asin(std::sqrt(std::min(h, 1.0)));
}

bool Close(double a, double b) { return std::abs(a - b) <= 1e-9 * (std::abs(a) + std::abs(b)); }

std::string Country(const Event& event) {
  std::string country(event.attributes[0]);
  if (country.size() != 2) return "";
  for (char& c : country) c = static_cast<char>(std::toupper(c));
  return country;
}

void Raise(const std::string& reason, Expected& expected) {
  if (expected.reason.empty()) expected.reason = reason;
}

// Whether there was a way to judge.
bool DefineSpeed(const Case& history, size_t last, const Mutation& mutation, Expected& expected) {
  const Event& event = history.events[last];
  const Event* previous = nullptr;
  for (size_t i = 0; i < last; ++i) {
    const Event& candidate = history.events[i];
    if (!candidate.location) continue;
    if (mutation.drops_own && i + 1 == last) continue;
    if (mutation.time_order && previous != nullptr && candidate.time_us < previous->time_us)
      continue;
    previous = &candidate;
  }
  if (!event.location || previous == nullptr) return false;
  const double distance = Kilometres(*previous->location, *event.location);
  const auto elapsed = static_cast<double>(std::abs(event.time_us - previous->time_us));
  const double least = static_cast<double>(history.min_distance_km) * mutation.min_distance_factor;
  const double reach =
      static_cast<double>(*history.max_speed_kmh) * mutation.speed_factor * elapsed / 3.6e9;
  expected.undecided |= distance > 0 && (Close(distance, least) || Close(distance, reach));
  if (mutation.allows_no_time && elapsed == 0) return true;
  if (distance > least && distance > reach) Raise("impossible_speed", expected);
  return true;
}

bool DefineCountryChange(const Case& history, size_t last, const Mutation& mutation,
                         Expected& expected) {
  const int64_t window_us = *history.window_us + mutation.window_change;
  const std::string country = Country(history.events[last]);
  int64_t newest = history.events[0].time_us;
  for (size_t i = 0; i <= last; ++i) newest = std::max(newest, history.events[i].time_us);
  const auto in_window = [&](const Event& event) {
    const int64_t age = newest - event.time_us;
    return mutation.open_edge ? age < window_us : age <= window_us;
  };
  if (!in_window(history.events[last])) {
    expected.flags |= kLate;
    return !country.empty();
  }
  if (country.empty()) return false;
  const Event* other = nullptr;
  for (size_t i = 0; i < last; ++i) {
    const Event& candidate = history.events[i];
    if (mutation.drops_own && i + 1 == last) continue;
    if (!in_window(candidate) || Country(candidate).empty() || Country(candidate) == country) {
      continue;
    }
    if (other == nullptr || candidate.time_us >= other->time_us) other = &candidate;
  }
  if (other != nullptr) {
    expected.from = Country(*other);
    Raise("country_change", expected);
  }
  return true;
}

bool DefineLists(const Case& history, const Event& event, Expected& expected) {
  const std::string country = Country(event);
  if (country.empty() || (history.deny.empty() && history.allow.empty())) return false;
  if (history.deny.contains(country)) Raise("country_denied", expected);
  if (!history.allow.empty() && !history.allow.contains(country)) {
    Raise("country_not_allowed", expected);
  }
  return true;
}

int64_t Wrap(int64_t longitude) {
  return ((longitude + 180'000'000) % 360'000'000 + 360'000'000) % 360'000'000 - 180'000'000;
}

bool DefineHome(const Case& history, size_t last, const Mutation& mutation, Expected& expected) {
  const Event& event = history.events[last];
  std::vector<Location> before;
  for (size_t i = 0; i < last + (mutation.includes_own ? 1 : 0); ++i) {
    if (mutation.drops_own && i + 1 == last) continue;
    if (history.events[i].location) before.push_back(*history.events[i].location);
  }
  int64_t count = 0;
  int64_t latitudes = 0;
  int64_t offsets = 0;
  for (const Location& location : before) {
    latitudes += location.latitude_udeg;
    offsets += Wrap(int64_t{location.longitude_udeg} - before.front().longitude_udeg);
    if (++count == 1000) {
      count = 500;
      latitudes /= 2;
      offsets /= 2;
    }
  }
  if (!event.location || count < history.min_history + mutation.min_history_change || count == 0) {
    return false;
  }
  const Location home = {
      static_cast<int32_t>(latitudes / count),
      static_cast<int32_t>(Wrap(before.front().longitude_udeg + offsets / count))};
  const double distance = Kilometres(home, *event.location);
  const auto limit = static_cast<double>(*history.home_distance_km);
  expected.undecided |= distance > 0 && Close(distance, limit);
  if (distance > limit) Raise("far_from_home", expected);
  return true;
}

Expected Define(const Case& history, size_t last, const Mutation& mutation) {
  Expected expected;
  bool judged = false;
  if (history.max_speed_kmh) judged |= DefineSpeed(history, last, mutation, expected);
  if (history.window_us) judged |= DefineCountryChange(history, last, mutation, expected);
  judged |= DefineLists(history, history.events[last], expected);
  if (history.home_distance_km) judged |= DefineHome(history, last, mutation, expected);
  if (!judged) expected.flags |= kInactive;
  return expected;
}

// The first event of the history on which agent and definition differ.
std::optional<size_t> FirstDifference(const GeoFactory& factory, const Case& history,
                                      const Mutation& mutation) {
  RuleHarness rule = MakeRule(factory, history);
  const std::vector<Verdict> verdicts = rule.JudgeBatch(history.events);
  RuleHarness unread = MakeRule(factory, history);
  if (!testing::AgreesUnread(unread, rule, history.events, verdicts)) return 0;
  for (size_t i = 0; i < history.events.size(); ++i) {
    const Expected expected = Define(history, i, mutation);
    const Verdict& verdict = verdicts[i];
    const auto from = static_cast<CountryCode>(verdict.observed[GeoSlots::kFromCountry]);
    if (verdict.flags != expected.flags || CountryText(from) != expected.from) return i;
    if (!expected.undecided && rule.Reason(verdict) != expected.reason) return i;
  }
  return std::nullopt;
}

TEST(GeoPropertyTest, AgreesWithTheDefinitionOnRandomHistories) {
  const GeoFactory factory;
  Shares shares;
  for (int64_t i = 0; i < PropertyHistories(); ++i) {
    const uint64_t seed = PropertySeed() + static_cast<uint64_t>(i);
    const Case history = MakeCase(seed, &shares);
    ASSERT_EQ(FirstDifference(factory, history, {}), std::nullopt) << SeedTrace(seed);
  }
  if (shares.events < 10'000) return;  // a single history to look at
  EXPECT_GE(shares.out_of_order * 100, shares.events * 30);
  EXPECT_GE(shares.duplicates * 100, shares.events * 10);
  EXPECT_GE(shares.on_boundary * 100, shares.events * 10);
}

class GeoMutationTest : public ::testing::TestWithParam<Mutation> {};

TEST_P(GeoMutationTest, IsNoticed) {
  const GeoFactory factory;
  int64_t noticed = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    if (FirstDifference(factory, MakeCase(seed, nullptr), GetParam())) ++noticed;
  }
  EXPECT_GE(noticed, 10) << "of 1000 histories";
}

INSTANTIATE_TEST_SUITE_P(
    Definition, GeoMutationTest,
    ::testing::Values(Mutation{.name = "OpenEdge", .open_edge = true},
                      Mutation{.name = "OwnEventDropped", .drops_own = true},
                      Mutation{.name = "OwnLocationInHome", .includes_own = true},
                      Mutation{.name = "PreviousByTime", .time_order = true},
                      Mutation{.name = "NoTimeAllowed", .allows_no_time = true},
                      Mutation{.name = "WindowOneMicrosecondShorter", .window_change = -1},
                      Mutation{.name = "WindowOneMicrosecondLonger", .window_change = 1},
                      Mutation{.name = "MinHistoryOneLower", .min_history_change = -1},
                      Mutation{.name = "MinHistoryOneHigher", .min_history_change = 1},
                      Mutation{.name = "SpeedTenPercentHigher", .speed_factor = 1.1},
                      Mutation{.name = "SpeedTenPercentLower", .speed_factor = 0.9},
                      Mutation{.name = "DistanceHalfHigher", .min_distance_factor = 1.5}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace caracal::agents
