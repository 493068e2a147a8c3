/// The coordinator moves, is down, or was never there, and partitions are lost: the member waits
/// for it, stops when it is told to, and commits nothing of what it has lost.

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "pipeline/engine/engine_monitor.h"
#include "pipeline/observe/metric_registry.h"
#include "tests/integration/group_test.h"

namespace caracal::pipeline {
namespace {

using CoordinatorTest = GroupTest;

TEST_F(CoordinatorTest, ACoordinatorThatMovesIsFollowed) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(scenario.MemberOptions());
  GoesOnUndisturbed(scenario, *member);
  for (const int32_t broker : {kOutput, MockKafka::kSourceBroker, kCoordinator}) {
    SCOPED_TRACE(broker);
    kafka().FailNext(MockKafka::kSourceBroker, KafkaRequest::kFindCoordinator,
                     {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE});
    // Not a fault but a count: a broker that does not coordinate gets no heartbeat.
    kafka().FailNext(broker, KafkaRequest::kHeartbeat, {RD_KAFKA_RESP_ERR_NO_ERROR});
    kafka().SetCoordinator(broker);
    scenario.Send(150);
    ASSERT_TRUE(ArrivesCompletely(scenario));
    EXPECT_TRUE(
        Eventually([&] { return kafka().FaultsLeft(broker, KafkaRequest::kHeartbeat) == 0; }));
  }
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

TEST_F(CoordinatorTest, ACoordinatorThatIsDownIsWaitedFor) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  GoesOnUndisturbed(scenario, *member);
  kafka().SetDown(kCoordinator);
  scenario.Send(300);
  const Counter& epochs = member->engine().commit_probe().epochs_committed;
  const uint64_t before = epochs.value();
  // Longer than the session: the member must take itself for lost and come back.
  const Counter& lost = member->engine().source_probe().lost;
  MetricRegistry metrics;
  EngineMonitor monitor(member->engine(), metrics);
  EXPECT_TRUE(monitor.Readiness().ok) << "control: the loss has not been noticed yet";
  EXPECT_TRUE(Eventually([&] { return lost.value() > 0; }));
  EXPECT_FALSE(monitor.Readiness().ok) << "no load balancer may count on a member without a group";
  EXPECT_LE(epochs.value(), before + 1) << "nothing can be committed";
  kafka().SetUp(kCoordinator);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_GT(epochs.value(), before + 1);
  EXPECT_TRUE(monitor.Readiness().ok);
}

// A stop must not wait for a coordinator that does not answer: a commit is under way when it comes.
// Control: with the coordinator up the same stop commits everything that was judged.
TEST_F(CoordinatorTest, AStopWhileTheCoordinatorIsDownEndsInTimeAndLosesNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  EngineOptions options = ShortSession(scenario);
  options.shutdown_timeout = absl::Seconds(2);
  {
    const auto member = Start(options);
    GoesOnUndisturbed(scenario, *member);
    kafka().SetDown(kCoordinator);
    const uint64_t before = member->consumed();
    scenario.Send(300);
    ASSERT_TRUE(Eventually([&] { return member->consumed() > before; }));
    const absl::Time start = absl::Now();
    EXPECT_NE(member->Stop(), absl::OkStatus()) << "it cannot have committed";
    const absl::Duration took = absl::Now() - start;
    if (Undisturbed()) {
      EXPECT_LT(took, absl::Seconds(20));
    }
  }
  kafka().SetUp(kCoordinator);
  const auto next = Start(options);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(next->Stop(), absl::OkStatus());
}

TEST_F(CoordinatorTest, BrokersThatAreDownAtTheStartAreWaitedFor) {
  Scenario scenario(kafka(), {.seed = Seed()});
  scenario.Send(200);
  kafka().SetDown(-1);
  EngineMember member(scenario.MemberOptions());
  const Counter& polls = member.engine().probe().polls;
  EXPECT_TRUE(Eventually([&] { return polls.value() > 20; })) << "the loop stands still";
  EXPECT_FALSE(member.ended());
  // Control: as long as they are down it has nothing to work with.
  EXPECT_EQ(member.engine().source_probe().assigned.value(), 0U);
  EXPECT_EQ(member.consumed(), 0U);
  kafka().SetUp(-1);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(member.Stop(), absl::OkStatus());
}

TEST_F(CoordinatorTest, AStopWhileNoBrokerHasEverAnsweredEnds) {
  Scenario scenario(kafka(), {.seed = Seed()});
  kafka().SetDown(-1);
  EngineOptions options = scenario.MemberOptions();
  options.shutdown_timeout = absl::Seconds(2);
  EngineMember member(std::move(options));
  const Counter& polls = member.engine().probe().polls;
  ASSERT_TRUE(Eventually([&] { return polls.value() > 20; }));
  EXPECT_FALSE(member.ended()) << "control: it ends because it is told to";
  static_cast<void>(member.Stop());
  EXPECT_TRUE(member.ended());
  kafka().SetUp(-1);
}

// The epoch of partitions that are lost is dropped when the loss is noticed, not when its alerts
// are acknowledged; what it delivered comes again, with the same ids. Control: before the loss no
// alert has come twice, and an epoch that is not dropped is never delivered twice.
TEST_F(CoordinatorTest, PartitionsThatAreLostDropTheirEpochAtOnceAndCommitNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  GoesOnUndisturbed(scenario, *member);
  const Gauge& unacknowledged = member->engine().sink_probe().queued_records;
  const Counter& epochs = member->engine().commit_probe().epochs_committed;
  const Counter& lost = member->engine().source_probe().lost;
  int looks = 0;
  // On a machine that stands still for longer than the broker waits, a slower broker is looked at.
  for (int delay_ms = 3000; delay_ms < 50'000 && looks == 0; delay_ms *= 2) {
    ASSERT_TRUE(ArrivesCompletely(scenario));
    const int64_t committed = scenario.Committed(0, 0);
    const uint64_t epochs_before = epochs.value();
    const uint64_t lost_before = lost.value();
    kafka().FailNext(kOutput, KafkaRequest::kProduce, std::vector(3, RD_KAFKA_RESP_ERR_NO_ERROR),
                     delay_ms);
    scenario.SendTo(0, 0, 100);
    ASSERT_TRUE(Eventually([&] { return unacknowledged.value() > 0; }));
    kafka().FailNext(kCoordinator, KafkaRequest::kHeartbeat, {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID});
    ASSERT_TRUE(Eventually([&] { return lost.value() > lost_before; }));
    // The look counts only if nothing was acknowledged before the loss.
    if (unacknowledged.value() == 0 || epochs.value() > epochs_before) continue;
    ++looks;
    EXPECT_TRUE(Eventually([&] { return AllOpen(*member); }));
    scenario.Check();
    EXPECT_GE(scenario.Committed(0, 0), committed);
  }
  EXPECT_GT(looks, 0) << "no look was made in time";
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_GT(scenario.repeated_alerts(), 0U) << "the lost epoch was committed after all";
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

}  // namespace
}  // namespace caracal::pipeline
