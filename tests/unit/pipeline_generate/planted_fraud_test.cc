// Judges the stream by the rules themselves, from message bytes alone, and compares with the
// labels: what is planted must cross, and nothing else may.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/generate/event_generator.h"
#include "tests/unit/pipeline_generate/great_circle.h"
#include "tests/unit/pipeline_generate/parsed_record.h"
#include "tests/unit/pipeline_generate/test_seed.h"

namespace caracal::pipeline {
namespace {

using KindAndId = std::pair<EpisodeKind, int64_t>;

constexpr int64_t kMinuteUs = 60'000'000;
constexpr double kEpisodeRate = 0.0025;
constexpr int kRecords = 25'000;
/// Of each kind in so many records, at this rate.
constexpr int kEpisodes = 58;

// The three rules in their plainest form, per account, over rows in log order.
class Judge {
 public:
  std::vector<EpisodeKind> See(const ParsedRow& row) {
    std::vector<EpisodeKind> crossed;
    Account& account = accounts_[row.account];
    if (Burst(account, row)) crossed.push_back(EpisodeKind::kBurst);
    if (BigTicket(account, row)) crossed.push_back(EpisodeKind::kBigTicket);
    if (Travel(account, row)) crossed.push_back(EpisodeKind::kTravel);
    return crossed;
  }

 private:
  struct Account {
    std::vector<int64_t> times;
    std::deque<int64_t> amounts;
    bool located = false;
    agents::Location location;
    int64_t time_us = 0;
  };

  // More than 6 payments in the closed minute that ends at the newest one; late ones raise nothing.
  static bool Burst(Account& account, const ParsedRow& row) {
    account.times.push_back(row.event_time_us);
    const int64_t newest = *std::max_element(account.times.begin(), account.times.end());
    std::erase_if(account.times, [&](int64_t t) { return t < newest - kMinuteUs; });
    return row.event_time_us >= newest - kMinuteUs && account.times.size() > 6;
  }

  // Above 10 x the mean of the last 50 amounts, of which there must be at least 3, and above 2000.
  static bool BigTicket(Account& account, const ParsedRow& row) {
    const auto count = static_cast<int64_t>(account.amounts.size());
    const int64_t sum = std::accumulate(account.amounts.begin(), account.amounts.end(), int64_t{0});
    account.amounts.push_back(row.amount);
    if (account.amounts.size() > 50) account.amounts.pop_front();
    return count >= 3 && row.amount * count > 10 * sum && row.amount > 2000'00;
  }

  // Faster than 900 km/h over more than 100 km since the payment before in the log.
  static bool Travel(Account& account, const ParsedRow& row) {
    const agents::Location here{static_cast<int32_t>(std::lround(row.latitude * 1e6)),
                                static_cast<int32_t>(std::lround(row.longitude * 1e6))};
    const double km = account.located ? GreatCircleKm(account.location, here) : 0;
    const double hours =
        static_cast<double>(std::llabs(row.event_time_us - account.time_us)) / 3.6e9;
    const bool known = std::exchange(account.located, true);
    account.location = here;
    account.time_us = row.event_time_us;
    return known && km > 100 && km > 900 * hours;
  }

  std::map<int64_t, Account> accounts_;
};

struct Outcome {
  std::set<KindAndId> judged;
  std::set<KindAndId> labelled;
  std::map<EpisodeKind, int> episodes;
  std::map<uint32_t, int> payments_of_episode;
  std::map<uint32_t, int> size_of_episode;
};

Outcome JudgeStream(const GeneratorOptions& options) {
  Outcome outcome;
  Judge judge;
  std::set<int64_t> seen;
  auto generator = EventGenerator::Create(options);
  EXPECT_TRUE(generator.ok());
  GeneratedRecord record;
  for (int i = 0; i < kRecords; ++i) {
    EXPECT_TRUE((*generator)->Next(record));
    if (record.kind == RecordKind::kMalformed || record.kind == RecordKind::kTombstone) continue;
    const ParsedRecord parsed = ParseRecord(record.value, options.message);
    if ((parsed.op != "c" && parsed.op != "r") || !seen.insert(parsed.after->id).second) continue;
    for (const EpisodeKind kind : judge.See(*parsed.after)) {
      outcome.judged.emplace(kind, parsed.after->id);
    }
    const EpisodeMark& mark = record.row->mark;
    if (mark.crossing) outcome.labelled.emplace(mark.kind, record.row->id);
    if (mark.kind == EpisodeKind::kNone) continue;
    if (++outcome.payments_of_episode[mark.episode] == 1) ++outcome.episodes[mark.kind];
    outcome.size_of_episode[mark.episode] = mark.size;
  }
  return outcome;
}

void ExpectGroundTruth(const GeneratorOptions& options) {
  const Outcome outcome = JudgeStream(options);
  EXPECT_EQ(outcome.judged, outcome.labelled);
  for (const EpisodeKind kind :
       {EpisodeKind::kBurst, EpisodeKind::kBigTicket, EpisodeKind::kTravel}) {
    const auto found = outcome.episodes.find(kind);
    ASSERT_NE(found, outcome.episodes.end()) << EpisodeKindName(kind);
    EXPECT_NEAR(found->second, kEpisodes, 40) << EpisodeKindName(kind);
  }
}

GeneratorOptions FraudulentStream() {
  GeneratorOptions options;
  options.seed = TestSeed();
  // As many payments as the accounts can make: one each in 20 to 40 s, around the clock.
  options.cards.accounts = 400;
  options.time.event_rate = 10;
  options.cards.burst_rate = kEpisodeRate;
  options.cards.big_ticket_rate = kEpisodeRate;
  options.cards.travel_rate = kEpisodeRate;
  return options;
}

TEST(PlantedFraudTest, CrossesTheRulesAndNothingElseDoes) {
  const GeneratorOptions options = FraudulentStream();
  SCOPED_TRACE(SeedTrace(options.seed));
  ExpectGroundTruth(options);
}

TEST(PlantedFraudTest, StaysTrueInAnUntidyStream) {
  GeneratorOptions options = FraudulentStream();
  SCOPED_TRACE(SeedTrace(options.seed));
  options.noise.late = 0.05;
  options.noise.late_max_us = 10 * kMinuteUs;
  options.noise.duplicates = 0.03;
  options.noise.updates = 0.03;
  options.noise.deletes = 0.03;
  options.noise.resnapshots = 0.02;
  options.noise.malformed = 0.02;
  options.noise.snapshot_rows = 5'000;
  ExpectGroundTruth(options);
}

TEST(PlantedFraudTest, StaysTrueOverMonthsOfJourneys) {
  GeneratorOptions options = FraudulentStream();
  SCOPED_TRACE(SeedTrace(options.seed));
  options.cards.accounts = 40;
  options.time.event_rate = 0.02;
  options.noise.late = 0.1;
  options.noise.late_max_us = int64_t{24} * 60 * kMinuteUs;
  ExpectGroundTruth(options);
}

TEST(PlantedFraudTest, StaysTrueUnderAnExtremeSkew) {
  GeneratorOptions options = FraudulentStream();
  SCOPED_TRACE(SeedTrace(options.seed));
  options.cards.zipf_exponent = 2;
  ExpectGroundTruth(options);
}

TEST(PlantedFraudTest, FinishesEpisodesItBegins) {
  GeneratorOptions options = FraudulentStream();
  SCOPED_TRACE(SeedTrace(options.seed));
  const Outcome outcome = JudgeStream(options);
  ASSERT_GT(outcome.size_of_episode.size(), 100u);
  int cut_short = 0;
  for (const auto& [episode, size] : outcome.size_of_episode) {
    const int sent = outcome.payments_of_episode.at(episode);
    EXPECT_LE(sent, size);
    cut_short += sent < size ? 1 : 0;
  }
  EXPECT_LE(cut_short, 40) << "only those under way at the end";
}

TEST(PlantedFraudTest, CanBeTurnedOff) {
  GeneratorOptions options = FraudulentStream();
  options.cards.burst_rate = 0;
  options.cards.big_ticket_rate = 0;
  options.cards.travel_rate = 0;
  const Outcome outcome = JudgeStream(options);
  EXPECT_TRUE(outcome.judged.empty());
  EXPECT_TRUE(outcome.labelled.empty());
}

}  // namespace
}  // namespace caracal::pipeline
