/// Members of a group against a simulated cluster, thousands of times. By itself this runs the
/// seeds 1..N; CARACAL_SIMULATION_SEEDS=N sets N. By hand:
///
///   simulation_test --seed=N [--trace]   replays one seed, with a line for everything that happens
///   simulation_test --seeds=A..B         a long run; ends at the first seed that fails

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulation/simulation.h"

namespace caracal::pipeline::sim {
namespace {

#ifdef CARACAL_TEST_SANITIZED
constexpr uint64_t kDefaultSeeds = 150;
constexpr uint64_t kControlSeeds = 150;
#else
constexpr uint64_t kDefaultSeeds = 2'000;
constexpr uint64_t kControlSeeds = 600;
#endif

const Model& SharedModel() {
  static const auto* const kModel = new Model();
  return *kModel;
}

uint64_t Seeds() {
  const char* text = std::getenv("CARACAL_SIMULATION_SEEDS");
  return text == nullptr ? kDefaultSeeds : std::strtoull(text, nullptr, 10);
}

SimulationResult RunSeed(uint64_t seed, Mutation mutation = Mutation::kNone, bool trace = false) {
  Simulation simulation(SharedModel(), {.seed = seed, .mutation = mutation, .trace = trace});
  return simulation.Run();
}

std::string Report(uint64_t seed, const SimulationResult& result) {
  return fmt::format("seed {}: {}\n  replay it with: simulation_test --seed={} --trace", seed,
                     result.failure, seed);
}

/// What became of the seeds of a control: the last lines of a process of its own, because a broken
/// protection may well end in a CHECK, which counts as noticed.
std::string OutcomeOfControl(Mutation mutation) {
  std::fflush(nullptr);
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child < 0) return "no process";
  if (child == 0) {
    if (dup2(ends[1], STDERR_FILENO) < 0) _exit(2);
    for (uint64_t seed = 1; seed <= kControlSeeds; ++seed) {
      const SimulationResult result = RunSeed(seed, mutation);
      if (result.failure.empty()) continue;
      fmt::print(stderr, "seed {}: {}\n", seed, result.failure);
      std::fflush(stderr);
      _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string output;
  char bytes[1024];
  for (ssize_t count = 0; (count = read(ends[0], bytes, sizeof bytes)) > 0;) {
    output.append(bytes, static_cast<size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  return waitpid(child, &status, 0) == child ? output : "no child";
}

TEST(SimulationTest, EveryInvariantHoldsForEverySeed) {
  uint64_t alerts = 0;
  uint64_t crashes = 0;
  uint64_t stops = 0;
  uint64_t copies = 0;
  uint64_t changes_saved = 0;
  uint64_t changes_restored = 0;
  uint64_t activations = 0;
  uint64_t takeovers = 0;
  uint64_t slices_carried = 0;
  for (uint64_t seed = 1; seed <= Seeds(); ++seed) {
    const SimulationResult result = RunSeed(seed);
    ASSERT_TRUE(result.failure.empty()) << Report(seed, result);
    alerts += result.alerts;
    crashes += result.crashes;
    stops += result.stops;
    copies += result.copies;
    changes_saved += result.changes_saved;
    changes_restored += result.changes_restored;
    activations += result.activations;
    takeovers += result.takeovers;
    slices_carried += result.slices_carried;
  }
  fmt::print("{} crashes, {} orderly stops\n", crashes, stops);
  fmt::print("{} copies, {} of changes, {} buckets restored from some\n", copies, changes_saved,
             changes_restored);
  fmt::print(
      "{} activations, {} of them takeovers by a member of other rules, {} slices carried "
      "over\n",
      activations, takeovers, slices_carried);
  EXPECT_GT(alerts, Seeds()) << "hardly any alerts: nothing was tested";
  EXPECT_GT(crashes, Seeds()) << "hardly any crashes: nothing was tested";
  EXPECT_GT(stops, Seeds() / 4) << "members hardly ever stopped in order: nothing was tested";
  EXPECT_GT(changes_restored, Seeds() / 2) << "hardly any copies of changes: nothing was tested";
  EXPECT_GT(activations, 0U) << "rules never changed";
  EXPECT_GT(takeovers, 0U) << "members never had different rules";
  EXPECT_GT(slices_carried, 0U) << "no state was carried over from earlier rules";
}

TEST(SimulationTest, ASeedIsOneRun) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const SimulationResult first = RunSeed(seed);
    const SimulationResult second = RunSeed(seed);
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    EXPECT_EQ(first.alerts, second.alerts) << "seed " << seed;
    EXPECT_EQ(first.crashes, second.crashes) << "seed " << seed;
  }
}

struct Control {
  const char* name;
  Mutation mutation;
  /// What notices: a part of the sentence, as a regular expression.
  const char* noticed;
};

class SimulationControlTest : public ::testing::TestWithParam<Control> {};

// Without these the runs above would prove nothing.
TEST_P(SimulationControlTest, TheLossOfAProtectionIsNoticed) {
  EXPECT_THAT(OutcomeOfControl(GetParam().mutation), ::testing::ContainsRegex(GetParam().noticed))
      << "within " << kControlSeeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    Protections, SimulationControlTest,
    ::testing::Values(
        Control{"UnknownOutcomeIsTakenForAborted", Mutation::kAssumeNotCommitted,
                "transaction moves partition"},
        Control{"UnknownOutcomeIsTakenForCommitted", Mutation::kAssumeCommitted,
                "is visible 0 times, not 1|is handed over before that is committed"},
        Control{"LostPartitionsAreSealed", Mutation::kKeepLeases,
                "transaction moves partition|committed after"},
        Control{"OldGenerationsAreNotFenced", Mutation::kNoFencing, "transaction moves partition"},
        Control{"TheProducerOutlivesADoubt", Mutation::kKeepProducer, "transaction "},
        Control{"EpochsCountBeforeTheyAreCommitted", Mutation::kAckBeforeCommit,
                "is handed over before that is committed"},
        Control{"CopiesAheadOfTheCommittedOffset", Mutation::kCopiesAhead,
                "CHECK failed: event.replayed"},
        Control{"ChangesAreForgotten", Mutation::kForgetChanges, "is not that of a fresh run"},
        Control{"SetsOfChunksNeedNotBeComplete", Mutation::kTakeParts,
                "is not that of a fresh run"},
        Control{"NothingIsCarriedOver", Mutation::kCarryNothing, "is not that of a fresh run"},
        Control{"ActivationsAreRecordedLate", Mutation::kActivateLate,
                "is not expected|are in effect"},
        Control{"TextsAreNotWritten", Mutation::kNoTexts, "not in the state topic"}),
    [](const auto& control) { return std::string(control.param.name); });

bool ParseNumber(std::string_view text, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Runs the seeds named on the command line; nullopt = none are.
std::optional<int> RunByHand(int argc, char** argv) {
  uint64_t first = 0;
  uint64_t last = 0;
  bool trace = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--trace") {
      trace = true;
    } else if (argument.starts_with("--seed=") && ParseNumber(argument.substr(7), first)) {
      last = first;
    } else if (const size_t dots = argument.find("..");
               argument.starts_with("--seeds=") && dots != std::string_view::npos &&
               ParseNumber(argument.substr(8, dots - 8), first) &&
               ParseNumber(argument.substr(dots + 2), last)) {
      continue;
    } else {
      fmt::print(stderr, "usage: simulation_test [--seed=N | --seeds=A..B] [--trace]\n");
      return 64;
    }
  }
  if (argc == 1) return std::nullopt;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const SimulationResult result = RunSeed(seed, Mutation::kNone, trace);
    if (!result.failure.empty()) {
      fmt::print(stderr, "{}\n", Report(seed, result));
      return 1;
    }
    if (seed % 10'000 == 0) fmt::print(stderr, "seed {}: all good so far\n", seed);
  }
  fmt::print(stderr, "seeds {}..{}: every invariant holds\n", first, last);
  return 0;
}

}  // namespace
}  // namespace caracal::pipeline::sim

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::optional<int> code = caracal::pipeline::sim::RunByHand(argc, argv);
  return code.has_value() ? *code : RUN_ALL_TESTS();
}
