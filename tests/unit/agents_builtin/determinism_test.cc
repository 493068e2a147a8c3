#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <ios>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/builtin/builtin_agents.h"
#include "tests/support/random_history.h"
#include "tests/support/rule_harness.h"

// One fixed stream through every kind of rule: the digest of all verdicts and of the final states
// is a constant, whatever the compiler, its options and the processor. When a digest changes on
// purpose, so does the meaning of saved state: raise StateSpec::version with it.
namespace caracal::agents {
namespace {

using testing::Duration;
using testing::Event;
using testing::Exact;
using testing::Number;
using testing::Object;
using testing::Random;
using testing::RuleHarness;
using testing::Text;
using testing::TextList;

constexpr size_t kKeys = 16;
constexpr size_t kEventsPerKey = 2'000;

class Digest {
 public:
  void Add(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
      value_ = (value_ ^ static_cast<uint64_t>(byte)) * 0x100000001b3;  // FNV-1a
    }
  }
  void Add(uint64_t value) { Add(std::as_bytes(std::span(&value, 1))); }
  void Add(const Verdict& verdict) {
    for (const int64_t observed : verdict.observed) Add(static_cast<uint64_t>(observed));
    Add(uint64_t{verdict.reason} << 16 | uint64_t{verdict.fired} << 8 | verdict.flags);
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

// Many events lie within `span_us` of each other.
std::vector<Event> EventsOfKey(size_t key, int64_t span_us) {
  static const std::vector<std::string_view> kMerchants = {"a", "b", "c", "d", "e", {}};
  static const std::vector<std::string_view> kCountries = {"FR", "FR", "FR", "DE", "KP", {}};
  Random random(1000 + key);
  const std::vector<int64_t> times = testing::HistoryTimes(random, kEventsPerKey, span_us);
  std::vector<Event> events;
  for (const int64_t time : times) {
    Event event{
        time, random.Between(-500, 300'000), {random.Pick(kMerchants), random.Pick(kCountries)}};
    if (random.Percent(5)) event.amount.reset();
    if (random.Percent(80)) {
      event.location = Location{static_cast<int32_t>(random.Between(-90'000'000, 90'000'000)),
                                static_cast<int32_t>(random.Between(-180'000'000, 180'000'000))};
    }
    events.push_back(event);
  }
  return events;
}

void ExpectDigest(uint64_t expected, std::string_view agent, testing::NamedValues values,
                  int64_t span_us = 60'000'000) {
  AgentRegistry registry;
  ASSERT_TRUE(RegisterBuiltinAgents(registry).ok());
  StreamContext stream;
  stream.attributes = AttributeSchema({"merchant", "country"});
  stream.has_location = true;
  Digest digest;
  size_t fired = 0;
  for (size_t key = 0; key < kKeys; ++key) {
    RuleHarness rule(*registry.Find(agent), testing::MakeParameters(values), stream);
    for (const Verdict& verdict : rule.JudgeBatch(EventsOfKey(key, span_us))) {
      digest.Add(verdict);
      fired += verdict.fired ? 1 : 0;
    }
    digest.Add(rule.state());
  }
  EXPECT_EQ(digest.value(), expected) << "0x" << std::hex << digest.value();
  EXPECT_GT(fired, kKeys) << "the stream says little of the rule";
  EXPECT_LT(fired, kKeys * kEventsPerKey * 9 / 10);
}

TEST(DeterminismTest, VelocityCount) {
  ExpectDigest(0xf08e997e2bd2e295, "velocity",
               {{"window", Duration("60s")}, {"max_count", Number(5)}});
}

TEST(DeterminismTest, VelocityWithEveryLimit) {
  ExpectDigest(0xc30a26181ebc25dc, "velocity",
               {{"window", Duration("2h")},
                {"max_count", Number(60)},
                {"max_amount", Exact("40000.00")},
                {"distinct", Object({{"attribute", Text("merchant")}, {"max", Number(4)}})}},
               3'600'000'000);
}

TEST(DeterminismTest, AmountLimits) {
  ExpectDigest(0x88e2ad302edb0a1a, "amount",
               {{"above", Exact("2500.00")}, {"below", Exact("1.00")}});
}

TEST(DeterminismTest, AmountProfile) {
  ExpectDigest(0xcf5c8de649b55d55, "amount", {{"profile", Object({{"ratio", Exact("1.75")}})}});
}

TEST(DeterminismTest, AmountZscore) {
  ExpectDigest(0x8351121420cd9c5e, "amount",
               {{"zscore", Object({{"half_life", Duration("7m")}, {"above", Exact("1.6")}})},
                {"refunds", Text("include")}});
}

TEST(DeterminismTest, AmountRound) {
  ExpectDigest(0x0b38757f44751948, "amount",
               {{"round_amount", Object({{"multiple_of", Exact("0.50")}})}});
}

TEST(DeterminismTest, GeoWithEveryCondition) {
  ExpectDigest(0xd6cd02d57044c84a, "geo",
               {{"max_speed_kmh", Exact("900000")},
                {"country_change", Object({{"window", Duration("2s")}})},
                {"deny", TextList({"KP"})},
                {"allow", TextList({"FR", "DE"})},
                {"far_from_home_km", Object({{"distance", Exact("12000")}})}});
}

}  // namespace
}  // namespace caracal::agents
