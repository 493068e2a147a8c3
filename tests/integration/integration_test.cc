#include "tests/integration/integration_test.h"

#include <cstdlib>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kPace = absl::Milliseconds(5);
constexpr size_t kLogLines = 40;

}  // namespace

IntegrationTest::IntegrationTest() = default;

IntegrationTest::~IntegrationTest() {
  if (!HasFailure()) return;
  fmt::print("CARACAL_INTEGRATION_SEED={}\nthe last lines of the log:\n{}", Seed(),
             log_.Tail(kLogLines));
}

uint64_t IntegrationTest::Seed() {
  static const uint64_t seed = [] {
    const char* text = std::getenv("CARACAL_INTEGRATION_SEED");
    return text == nullptr ? std::random_device()() : std::strtoull(text, nullptr, 10);
  }();
  return seed;
}

bool IntegrationTest::Eventually(const std::function<bool()>& condition, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  const absl::Notification never;
  while (!condition()) {
    if (absl::Now() >= deadline) return false;
    never.WaitForNotificationWithTimeout(kPace);
  }
  return true;
}

::testing::AssertionResult IntegrationTest::NothingWrong(const Scenario& scenario) {
  if (scenario.problems().empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << scenario.problems().size() << " problems, the first: " << *scenario.problems().begin();
}

::testing::AssertionResult IntegrationTest::ArrivesCompletely(Scenario& scenario) {
  const bool done = Eventually([&scenario] {
    scenario.Check();
    return scenario.complete() || !scenario.problems().empty();
  });
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
