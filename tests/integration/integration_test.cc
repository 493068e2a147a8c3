#include "tests/integration/integration_test.h"

#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kPace = absl::Milliseconds(5);

void WaitFor(absl::Duration duration) {
  const absl::Notification never;
  never.WaitForNotificationWithTimeout(duration);
}

std::vector<std::unique_ptr<MockKafka>>& Clusters() {
  static std::vector<std::unique_ptr<MockKafka>> clusters;
  return clusters;
}

void MakeClusters(size_t count) {
  std::vector<std::unique_ptr<MockKafka>>& clusters = Clusters();
  for (size_t i = 0; i < count; ++i) clusters.push_back(std::make_unique<MockKafka>());
  for (const auto& cluster : clusters) cluster->OpenGroup();
  for (const auto& cluster : clusters) cluster->AwaitGroup();
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

}  // namespace caracal::pipeline
