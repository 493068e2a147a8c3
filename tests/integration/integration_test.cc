#include "tests/integration/integration_test.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kPace = absl::Milliseconds(5);
// Halfway through the time in which the first member must join; see MockKafka.
constexpr absl::Duration kFirstMemberAfter = absl::Milliseconds(1100);

void WaitFor(absl::Duration duration) {
  const absl::Notification never;
  never.WaitForNotificationWithTimeout(duration);
}

std::vector<std::unique_ptr<MockKafka>>& Clusters() {
  static std::vector<std::unique_ptr<MockKafka>> clusters;
  return clusters;
}

bool TryMakeClusters(size_t count) {
  std::vector<std::unique_ptr<MockKafka>>& clusters = Clusters();
  for (size_t i = 0; i < count; ++i) clusters.push_back(std::make_unique<MockKafka>());
  for (const auto& cluster : clusters) cluster->OpenGroup();
  WaitFor(kFirstMemberAfter);
  for (const auto& cluster : clusters) cluster->StartFirstMember();
  return std::all_of(clusters.begin(), clusters.end(),
                     [](const auto& cluster) { return cluster->AwaitFirstMember(); });
}

void MakeClusters(size_t count) {
  constexpr int kAttempts = 10;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (TryMakeClusters(count)) return;
    Clusters().clear();
  }
  CHECK(false);  // no cluster could be made
}

}  // namespace

uint64_t IntegrationTest::Seed() {
  static const uint64_t seed = [] {
    const char* text = std::getenv("CARACAL_INTEGRATION_SEED");
    return text == nullptr ? std::random_device()() : std::strtoull(text, nullptr, 10);
  }();
  return seed;
}

LogCapture& IntegrationTest::Log() {
  static LogCapture log;
  return log;
}

void IntegrationTest::SetUpTestSuite() {
  Log();
  if (!Clusters().empty()) return;
  MakeClusters(static_cast<size_t>(::testing::UnitTest::GetInstance()->test_to_run_count()));
}

void IntegrationTest::TearDownTestSuite() {}

void IntegrationTest::SetUp() {
  if (Clusters().empty()) MakeClusters(1);
  kafka_ = std::move(Clusters().back());
  Clusters().pop_back();
}

void IntegrationTest::TearDown() {
  if (!HasFailure()) return;
  fmt::print("CARACAL_INTEGRATION_SEED={}\nthe last lines of the log:\n{}", Seed(), Log().Tail(40));
}

bool IntegrationTest::Eventually(const std::function<bool()>& condition, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!condition()) {
    if (absl::Now() >= deadline) return false;
    WaitFor(kPace);
  }
  return true;
}

::testing::AssertionResult IntegrationTest::NothingWrong(const Scenario& scenario) {
  if (scenario.problems().empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << scenario.problems().size() << " problems, the first: " << *scenario.problems().begin();
}

::testing::AssertionResult IntegrationTest::ArrivesCompletely(Scenario& scenario,
                                                              absl::Duration timeout) {
  const bool done = Eventually(
      [&scenario] {
        scenario.Check();
        return scenario.complete() || !scenario.problems().empty();
      },
      timeout);
  if (!scenario.problems().empty()) return NothingWrong(scenario);
  if (!done) return ::testing::AssertionFailure() << scenario.Describe();
  return ::testing::AssertionSuccess();
}

bool IntegrationTest::AllOpen(const EngineMember& member) {
  const SourceProbe& probe = member.engine().source_probe();
  return probe.open_partitions.value() > 0 &&
         probe.open_partitions.value() == probe.assigned_partitions.value();
}

std::unique_ptr<EngineMember> IntegrationTest::Start(EngineOptions options) {
  auto member = std::make_unique<EngineMember>(std::move(options));
  EXPECT_TRUE(Eventually([&] { return AllOpen(*member); })) << "the member gets no partitions";
  return member;
}

void IntegrationTest::LeaveAlone(const EngineMember& member) {
  const Counter& rebalances = member.engine().source_probe().rebalances;
  const uint64_t before = rebalances.value();
  kafka().RetireFirstMember();
  EXPECT_TRUE(Eventually([&] { return rebalances.value() > before && AllOpen(member); }))
      << "the group does not settle without its first member";
}

}  // namespace caracal::pipeline
