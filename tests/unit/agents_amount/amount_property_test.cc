#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "agents/amount/amount_factory.h"
#include "agents/amount/amount_profile.h"
#include "agents/amount/amount_reason.h"
#include "agents/amount/amount_zscore.h"
#include "tests/support/random_history.h"
#include "tests/support/rule_harness.h"

// The agents against their definitions: lists of all amounts ever, averaged anew each time.
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

// A way in which a definition is got wrong; the comparison must notice each.
struct Mutation {
  std::string name = "none";
  bool includes_own = false;       // the current amount is part of what it is judged by
  bool drops_own = false;          // the current amount is never remembered
  bool not_strict = false;         // >= for >
  bool ages_backwards = false;     // dt < 0 ages the history too
  int64_t history_change = 0;      // on history
  int64_t min_history_change = 0;  // on min_history
  int64_t half_life_change = 0;    // microseconds

  friend std::ostream& operator<<(std::ostream& out, const Mutation& mutation) {
    return out << mutation.name;
  }
};

bool Relevant(const Event& event, bool include_refunds) {
  return event.amount.has_value() && (*event.amount > 0 || include_refunds);
}

struct ProfileCase {
  int64_t history = 1;
  int64_t min_history = 1;
  Decimal ratio;
  std::optional<int64_t> floor;
  bool include_refunds = false;
  std::vector<Event> events;
};

// The list of amounts the event at `last` is judged by: at most `history`, newest last.
std::vector<int64_t> ProfileBefore(const ProfileCase& history, size_t last,
                                   const Mutation& mutation) {
  std::vector<int64_t> amounts;
  for (size_t i = 0; i < last + (mutation.includes_own ? 1 : 0); ++i) {
    if (mutation.drops_own && i + 1 == last) continue;
    if (Relevant(history.events[i], history.include_refunds)) {
      amounts.push_back(*history.events[i].amount);
    }
  }
  const auto keep =
      static_cast<size_t>(std::max<int64_t>(0, history.history + mutation.history_change));
  if (amounts.size() > keep)
    amounts.erase(amounts.begin(), amounts.end() - static_cast<int64_t>(keep));
  return amounts;
}

// amount - ratio x mean, in units of 10^-scale / n: its sign decides.
int64_t OverProfile(const ProfileCase& history, const std::vector<int64_t>& amounts,
                    int64_t amount) {
  int64_t sum = 0;
  for (const int64_t earlier : amounts) sum += earlier;
  int64_t unit = 1;
  for (int i = 0; i < history.ratio.scale; ++i) unit *= 10;
  return amount * static_cast<int64_t>(amounts.size()) * unit - history.ratio.unscaled * sum;
}

// The largest amount that is not above the profile: exactly ratio x mean where that is an integer.
int64_t AtProfile(const ProfileCase& history, const std::vector<int64_t>& amounts) {
  int64_t amount = 0;
  for (int64_t step = int64_t{1} << 30; step > 0; step /= 2) {
    if (OverProfile(history, amounts, amount + step) <= 0) amount += step;
  }
  return amount;
}

ProfileCase MakeProfileCase(uint64_t seed, Shares* shares) {
  static const std::vector<Decimal> kRatios = {{3, 0}, {25, 1}, {2, 0}, {115, 2}, {1, 0}};
  Random random(seed);
  ProfileCase history;
  history.history = random.Pick<int64_t>({1, 2, 3, 5, 10, 50});
  history.min_history = random.Between(1, std::min<int64_t>(history.history, 4));
  history.ratio = random.Pick(kRatios);
  if (random.Percent(50)) history.floor = 100 * random.Between(0, 10);
  history.include_refunds = random.Percent(40);
  const size_t length = HistoryLength(random);
  const std::vector<int64_t> times = HistoryTimes(random, length, 1'000'000);
  if (shares != nullptr) shares->Count(times, 1'000'000);
  for (size_t i = 0; i < length; ++i) {
    history.events.push_back({times[i], 100 * random.Between(-2, 15)});
    Event& event = history.events.back();
    const std::vector<int64_t> before = ProfileBefore(history, i, {});
    const int64_t kind = random.Below(100);
    if (kind < 5) event.amount.reset();
    if (kind >= 5 && kind < 25 && !before.empty()) event.amount = AtProfile(history, before);
    if (kind >= 25 && kind < 35 && !before.empty()) event.amount = AtProfile(history, before) + 1;
    if (kind >= 35 && kind < 40) event.amount = history.floor.value_or(0);
  }
  return history;
}

std::optional<size_t> FirstDifference(const AmountFactory& factory, const ProfileCase& history,
                                      const Mutation& mutation, int64_t* on_boundary) {
  Parameters profile = testing::MakeParameters({{"history", history.history},
                                                {"min_history", history.min_history},
                                                {"ratio", history.ratio}});
  if (history.floor) profile.Set("floor", Decimal{*history.floor, 2});
  const Parameters parameters = testing::MakeParameters(
      {{"profile", std::make_shared<const Parameters>(profile)},
       {"refunds", testing::Text(history.include_refunds ? "include" : "exclude")}});
  RuleHarness rule(factory, parameters, StreamContext{});
  const std::vector<Verdict> verdicts = rule.JudgeBatch(history.events);
  RuleHarness unread(factory, parameters, StreamContext{});
  if (!testing::AgreesUnread(unread, rule, history.events, verdicts)) return 0;
  for (size_t i = 0; i < history.events.size(); ++i) {
    const Event& event = history.events[i];
    bool fires = false;
    bool active = false;
    int64_t remembered = 0;
    if (Relevant(event, history.include_refunds)) {
      const std::vector<int64_t> before = ProfileBefore(history, i, mutation);
      remembered = static_cast<int64_t>(before.size());
      active = remembered >= history.min_history + mutation.min_history_change;
      const int64_t over = OverProfile(history, before, *event.amount);
      const int64_t over_floor = history.floor ? *event.amount - *history.floor : 1;
      if (on_boundary != nullptr && active) *on_boundary += over == 0 || over_floor == 0 ? 1 : 0;
      fires = active &&
              (mutation.not_strict ? over >= 0 && over_floor >= 0 : over > 0 && over_floor > 0);
    }
    const Verdict& verdict = verdicts[i];
    if (verdict.fired != fires || verdict.flags != (active ? 0 : kInactive) ||
        verdict.observed[ProfileAgent::kHistorySlot] != remembered) {
      return i;
    }
  }
  return std::nullopt;
}

struct ZscoreCase {
  int64_t half_life_us = 1;
  int64_t min_history = 2;
  Decimal above;
  bool include_refunds = false;
  std::vector<Event> events;
};

ZscoreCase MakeZscoreCase(uint64_t seed, Shares* shares) {
  Random random(seed);
  ZscoreCase history;
  history.half_life_us = random.Pick<int64_t>({1'000, 50'000, 1'000'000, 60'000'000});
  history.min_history = random.Between(2, 5);
  history.above = random.Pick<Decimal>({{1, 0}, {15, 1}, {3, 0}});
  history.include_refunds = random.Percent(40);
  const size_t length = HistoryLength(random);
  const std::vector<int64_t> times = HistoryTimes(random, length, history.half_life_us);
  if (shares != nullptr) shares->Count(times, history.half_life_us);
  const int64_t spread = random.Pick<int64_t>({1, 3, 100, 10'000});
  const bool constant = random.Percent(10);
  for (const int64_t time : times) {
    Event event{time, random.Between(-spread / 3, spread) * 7};
    if (constant) event.amount = 1'234;
    if (random.Percent(5)) event.amount.reset();
    history.events.push_back(event);
  }
  return history;
}

// An amount remembered, with the newest time remembered when it was.
struct Weighed {
  int64_t amount;
  int64_t since_us;
};

long double Weight(const Weighed& entry, int64_t newest_us, int64_t half_life_us) {
  return exp2l(-static_cast<long double>(newest_us - entry.since_us) /
               static_cast<long double>(half_life_us));
}

// The z of `amount` by its definition; nullopt when all remembered amounts are equal.
std::optional<double> DefineZ(const std::vector<Weighed>& entries, int64_t newest_us,
                              int64_t half_life_us, int64_t amount) {
  long double weights = 0;
  long double mean = 0;
  bool varied = false;
  for (const Weighed& entry : entries) {
    const long double weight = Weight(entry, newest_us, half_life_us);
    weights += weight;
    mean += weight * static_cast<long double>(entry.amount);
    varied |= entry.amount != entries.front().amount;
  }
  if (!varied) return std::nullopt;
  mean /= weights;
  long double squares = 0;
  for (const Weighed& entry : entries) {
    const long double delta = static_cast<long double>(entry.amount) - mean;
    squares += Weight(entry, newest_us, half_life_us) * delta * delta;
  }
  return static_cast<double>((static_cast<long double>(amount) - mean) / sqrtl(squares / weights));
}

// Remembers the event by the definition, after it has been judged.
void DefineMemory(const ZscoreCase& history, const Event& event, const Mutation& mutation,
                  std::vector<Weighed>& entries, int64_t& newest_us) {
  const int64_t half_life_us = history.half_life_us + mutation.half_life_change;
  if (entries.empty()) newest_us = event.time_us;
  const int64_t step = event.time_us - newest_us;
  if (step < 0 && mutation.ages_backwards) {
    for (Weighed& entry : entries) entry.since_us += step;
  }
  newest_us = std::max(newest_us, event.time_us);
  long double left = 0;
  for (const Weighed& entry : entries) left += Weight(entry, newest_us, half_life_us);
  if (left < 0.5L) entries.clear();
  entries.push_back({*event.amount, newest_us});
}

std::optional<size_t> FirstDifference(const AmountFactory& factory, const ZscoreCase& history,
                                      const Mutation& mutation) {
  const Parameters parameters = testing::MakeParameters(
      {{"zscore", testing::Object({{"half_life", history.half_life_us},
                                   {"min_history", history.min_history},
                                   {"above", history.above}})},
       {"refunds", testing::Text(history.include_refunds ? "include" : "exclude")}});
  RuleHarness rule(factory, parameters, StreamContext{});
  const std::vector<Verdict> verdicts = rule.JudgeBatch(history.events);
  std::vector<Weighed> entries;
  int64_t newest_us = 0;
  for (size_t i = 0; i < history.events.size(); ++i) {
    const Event& event = history.events[i];
    if (!Relevant(event, history.include_refunds)) {
      if (verdicts[i].flags != kInactive || verdicts[i].fired) return i;
      continue;
    }
    if (mutation.includes_own) DefineMemory(history, event, mutation, entries, newest_us);
    const bool active =
        static_cast<int64_t>(entries.size()) >= history.min_history + mutation.min_history_change;
    const double z =
        DefineZ(entries, newest_us, history.half_life_us + mutation.half_life_change, *event.amount)
            .value_or(0);
    const double above = ToDouble(history.above);
    const double got = std::bit_cast<double>(verdicts[i].observed[ZscoreAgent::kZSlot]);
    const bool close = std::abs(z - above) < 1e-9;
    if (std::abs(got - z) > 1e-9 * (1 + std::abs(z))) return i;
    if (verdicts[i].flags != (active ? 0 : kInactive)) return i;
    if (!close && verdicts[i].fired != (active && z > above)) return i;
    if (!mutation.includes_own && !mutation.drops_own) {
      DefineMemory(history, event, mutation, entries, newest_us);
    }
  }
  return std::nullopt;
}

TEST(AmountPropertyTest, ProfileAgreesWithTheDefinitionOnRandomHistories) {
  const AmountFactory factory;
  Shares shares;
  int64_t on_boundary = 0;
  for (int64_t i = 0; i < (PropertyHistories() * 4 + 4) / 5; ++i) {
    const uint64_t seed = PropertySeed() + static_cast<uint64_t>(i);
    const ProfileCase history = MakeProfileCase(seed, &shares);
    ASSERT_EQ(FirstDifference(factory, history, {}, &on_boundary), std::nullopt) << SeedTrace(seed);
  }
  if (shares.events < 10'000) return;  // a single history to look at
  EXPECT_GE(shares.out_of_order * 100, shares.events * 30);
  EXPECT_GE(shares.duplicates * 100, shares.events * 10);
  EXPECT_GE(on_boundary * 100, shares.events * 10);
}

TEST(AmountPropertyTest, ZscoreAgreesWithTheDefinitionOnRandomHistories) {
  const AmountFactory factory;
  Shares shares;
  // The definition is slow: one history in five.
  for (int64_t i = 0; i < (PropertyHistories() + 4) / 5; ++i) {
    const uint64_t seed = PropertySeed() + static_cast<uint64_t>(i);
    const ZscoreCase history = MakeZscoreCase(seed, &shares);
    ASSERT_EQ(FirstDifference(factory, history, {}), std::nullopt) << SeedTrace(seed);
  }
  if (shares.events < 10'000) return;  // a single history to look at
  EXPECT_GE(shares.out_of_order * 100, shares.events * 30);
  EXPECT_GE(shares.duplicates * 100, shares.events * 10);
  EXPECT_GE(shares.on_boundary * 100, shares.events * 10);
}

class ProfileMutationTest : public ::testing::TestWithParam<Mutation> {};

TEST_P(ProfileMutationTest, IsNoticed) {
  const AmountFactory factory;
  int64_t noticed = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    if (FirstDifference(factory, MakeProfileCase(seed, nullptr), GetParam(), nullptr)) ++noticed;
  }
  EXPECT_GE(noticed, 30) << "of 300 histories";
}

INSTANTIATE_TEST_SUITE_P(
    Definition, ProfileMutationTest,
    ::testing::Values(Mutation{.name = "OwnAmountIncluded", .includes_own = true},
                      Mutation{.name = "OwnAmountForgotten", .drops_own = true},
                      Mutation{.name = "NotStrict", .not_strict = true},
                      Mutation{.name = "HistoryOneShorter", .history_change = -1},
                      Mutation{.name = "HistoryOneLonger", .history_change = 1},
                      Mutation{.name = "MinHistoryOneLower", .min_history_change = -1},
                      Mutation{.name = "MinHistoryOneHigher", .min_history_change = 1}),
    [](const auto& instance) { return instance.param.name; });

class ZscoreMutationTest : public ::testing::TestWithParam<Mutation> {};

TEST_P(ZscoreMutationTest, IsNoticed) {
  const AmountFactory factory;
  int64_t noticed = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    if (FirstDifference(factory, MakeZscoreCase(seed, nullptr), GetParam())) ++noticed;
  }
  EXPECT_GE(noticed, 30) << "of 300 histories";
}

INSTANTIATE_TEST_SUITE_P(
    Definition, ZscoreMutationTest,
    ::testing::Values(Mutation{.name = "OwnAmountIncluded", .includes_own = true},
                      Mutation{.name = "OwnAmountForgotten", .drops_own = true},
                      Mutation{.name = "OlderEventAges", .ages_backwards = true},
                      Mutation{.name = "HalfLifeOneMicrosecondShorter", .half_life_change = -1},
                      Mutation{.name = "HalfLifeOneMicrosecondLonger", .half_life_change = 1},
                      Mutation{.name = "MinHistoryOneLower", .min_history_change = -1},
                      Mutation{.name = "MinHistoryOneHigher", .min_history_change = 1}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace caracal::agents
