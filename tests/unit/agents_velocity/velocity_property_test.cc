#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agents/velocity/velocity_agent.h"
#include "agents/velocity/velocity_factory.h"
#include "tests/support/random_history.h"
#include "tests/support/rule_harness.h"

// The agent against the definition: a list of all events ever, sorted and counted anew each time.
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
  bool open_edge = false;     // an event exactly W old has left
  bool drops_own = false;     // the event itself does not count
  int64_t window_change = 0;  // microseconds
  int64_t count_change = 0;   // on max_count
  int64_t capacity_change = 0;

  friend std::ostream& operator<<(std::ostream& out, const Mutation& mutation) {
    return out << mutation.name;
  }
};

struct Case {
  int64_t window_us = 1;
  int64_t capacity = 1;
  std::optional<int64_t> max_count;
  std::optional<int64_t> max_amount;
  std::optional<int64_t> max_distinct;
  bool include_refunds = false;
  std::vector<Event> events;
};

struct Expected {
  std::string reason;
  uint8_t flags = 0;
  int64_t count = 0;
  int64_t sum = 0;
  int64_t distinct = 0;

  friend bool operator==(const Expected&, const Expected&) = default;
};

Case MakeCase(uint64_t seed, Shares* shares) {
  static const std::vector<int64_t> kWindows = {1,
                                                2,
                                                10,
                                                1'000,
                                                60'000'000,
                                                (int64_t{1} << 32) - 1,
                                                int64_t{1} << 32,
                                                (int64_t{1} << 32) + 500'000'000,
                                                500'000,
                                                3'600'000'000,
                                                86'400'000'000};
  static const std::vector<std::string_view> kMerchants = {"a", "b", "c", "d", "e", "f", "", {}};
  Random random(seed);
  Case history;
  history.window_us = random.Pick(kWindows);
  const int64_t limits = random.Between(1, 7);
  if ((limits & 1) != 0) history.max_count = random.Between(0, 8);
  if ((limits & 2) != 0) history.max_amount = random.Between(0, 40);
  if ((limits & 4) != 0) history.max_distinct = random.Between(1, 4);
  history.include_refunds = random.Percent(40);
  const int64_t needed =
      std::max(history.max_count.value_or(0), history.max_distinct.value_or(0)) + 1;
  history.capacity = needed + random.Pick<int64_t>({0, 0, 1, 3, 60});
  const std::vector<int64_t> times = HistoryTimes(random, HistoryLength(random), history.window_us);
  if (shares != nullptr) shares->Count(times, history.window_us);
  for (const int64_t time : times) {
    Event event{time, random.Between(-5, 15), {random.Pick(kMerchants)}};
    if (random.Percent(5)) event.amount.reset();
    history.events.push_back(event);
  }
  return history;
}

RuleHarness MakeRule(const VelocityFactory& factory, const Case& history) {
  Parameters parameters = testing::MakeParameters(
      {{"window", history.window_us},
       {"capacity", history.capacity},
       {"refunds", testing::Text(history.include_refunds ? "include" : "exclude")}});
  if (history.max_count) parameters.Set("max_count", *history.max_count);
  if (history.max_amount) parameters.Set("max_amount", Decimal{*history.max_amount, 2});
  if (history.max_distinct) {
    parameters.Set("distinct", testing::Object({{"attribute", testing::Text("merchant")},
                                                {"max", *history.max_distinct}}));
  }
  StreamContext stream;
  stream.attributes = AttributeSchema({"merchant"});
  return RuleHarness(factory, parameters, stream);
}

// What the events up to `last`, the current one, mean for it.
Expected Define(const Case& history, size_t last, const Mutation& mutation) {
  const int64_t window_us = history.window_us + mutation.window_change;
  int64_t newest = history.events[0].time_us;
  for (size_t i = 0; i <= last; ++i) newest = std::max(newest, history.events[i].time_us);
  const auto in_window = [&](const Event& event) {
    return mutation.open_edge ? newest - event.time_us < window_us
                              : newest - event.time_us <= window_us;
  };
  std::vector<const Event*> window;
  for (size_t i = 0; i <= last; ++i) {
    if (mutation.drops_own && i == last) continue;
    if (in_window(history.events[i])) window.push_back(&history.events[i]);
  }
  std::stable_sort(window.begin(), window.end(),
                   [](const Event* a, const Event* b) { return a->time_us < b->time_us; });
  const auto capacity = static_cast<size_t>(history.capacity + mutation.capacity_change);
  Expected expected;
  if (window.size() > capacity) {
    expected.flags |= kAtLeast;
    window.erase(window.begin(), window.end() - static_cast<int64_t>(capacity));
  }
  std::set<std::string_view> values;
  for (const Event* event : window) {
    const int64_t amount = event->amount.value_or(0);
    if (history.max_amount && (amount > 0 || history.include_refunds)) expected.sum += amount;
    const std::string_view merchant = event->attributes[0];
    if (history.max_distinct && merchant.data() != nullptr) values.insert(merchant);
  }
  expected.count = static_cast<int64_t>(window.size());
  expected.distinct = static_cast<int64_t>(values.size());
  if (!in_window(history.events[last])) {
    expected.flags = kLate;
  } else if (history.max_count && expected.count > *history.max_count + mutation.count_change) {
    expected.reason = "count_exceeded";
  } else if (history.max_amount && expected.sum > *history.max_amount) {
    expected.reason = "amount_exceeded";
  } else if (history.max_distinct && expected.distinct > *history.max_distinct) {
    expected.reason = "distinct_exceeded";
  } else if ((expected.flags & kAtLeast) != 0) {
    expected.reason = "window_saturated";
  }
  return expected;
}

// The first event of the history on which agent and definition differ.
std::optional<size_t> FirstDifference(const VelocityFactory& factory, const Case& history,
                                      const Mutation& mutation) {
  RuleHarness rule = MakeRule(factory, history);
  const std::vector<Verdict> verdicts = rule.JudgeBatch(history.events);
  for (size_t i = 0; i < history.events.size(); ++i) {
    const Verdict& verdict = verdicts[i];
    const Expected got = {
        rule.Reason(verdict), verdict.flags, verdict.observed[VelocitySlots::kCount],
        verdict.observed[VelocitySlots::kSum], verdict.observed[VelocitySlots::kDistinct]};
    if (got != Define(history, i, mutation)) return i;
  }
  return std::nullopt;
}

TEST(VelocityPropertyTest, AgreesWithTheDefinitionOnRandomHistories) {
  const VelocityFactory factory;
  Shares shares;
  for (int64_t i = 0; i < PropertyHistories(); ++i) {
    const uint64_t seed = PropertySeed() + static_cast<uint64_t>(i);
    const Case history = MakeCase(seed, &shares);
    const std::optional<size_t> difference = FirstDifference(factory, history, {});
    ASSERT_EQ(difference, std::nullopt) << SeedTrace(seed);
  }
  if (shares.events < 10'000) return;  // a single history to look at
  EXPECT_GE(shares.out_of_order * 100, shares.events * 30);
  EXPECT_GE(shares.duplicates * 100, shares.events * 10);
  EXPECT_GE(shares.on_boundary * 100, shares.events * 10);
}

class VelocityMutationTest : public ::testing::TestWithParam<Mutation> {};

TEST_P(VelocityMutationTest, IsNoticed) {
  const VelocityFactory factory;
  int64_t noticed = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const Case history = MakeCase(seed, nullptr);
    if (FirstDifference(factory, history, GetParam())) ++noticed;
  }
  EXPECT_GE(noticed, 30) << "of 300 histories";
}

INSTANTIATE_TEST_SUITE_P(
    Definition, VelocityMutationTest,
    ::testing::Values(Mutation{.name = "OpenEdge", .open_edge = true},
                      Mutation{.name = "OwnEventDropped", .drops_own = true},
                      Mutation{.name = "WindowOneMicrosecondShorter", .window_change = -1},
                      Mutation{.name = "WindowOneMicrosecondLonger", .window_change = 1},
                      Mutation{.name = "CountOneLower", .count_change = -1},
                      Mutation{.name = "CountOneHigher", .count_change = 1},
                      Mutation{.name = "CapacityOneLower", .capacity_change = -1},
                      Mutation{.name = "CapacityOneHigher", .capacity_change = 1}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace caracal::agents
