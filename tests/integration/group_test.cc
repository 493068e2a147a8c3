/// The coordinator refuses, moves or is not there: nothing is lost, nothing is committed that was
/// not delivered, and the member goes on by itself.
///
/// Every test first shows, or says, what its assertions would see without the fault: the counters
/// it looks at stand still while nothing is wrong, and a fault counts only when the broker has used
/// it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tests/integration/integration_test.h"

namespace caracal::pipeline {
namespace {

constexpr int32_t kCoordinator = MockKafka::kGroupBroker;
constexpr int32_t kOutput = MockKafka::kOutputBroker;

class GroupTest : public IntegrationTest {
 protected:
  /// With a session that is just long enough for the mock, so that a member that joins again waits
  /// 2.5 s.
  static EngineOptions ShortSession(const Scenario& scenario) {
    EngineOptions options = scenario.MemberOptions();
    options.source.connection.properties["session.timeout.ms"] = "3500";
    return options;
  }

  /// The control of the tests below: without a fault no epoch is sealed again, no partition is lost
  /// and no alert comes twice.
  void GoesOnUndisturbed(Scenario& scenario, const EngineMember& member) {
    scenario.Send(100);
    ASSERT_TRUE(ArrivesCompletely(scenario));
    EXPECT_FALSE(member.ended());
    if (!Undisturbed()) return;
    EXPECT_EQ(member.engine().commit_probe().epochs_resealed.value(), 0U);
    EXPECT_EQ(member.engine().source_probe().lost.value(), 0U);
    EXPECT_EQ(scenario.repeated_alerts(), 0U);
  }

  size_t Left(KafkaRequest request) { return kafka().FaultsLeft(kCoordinator, request); }
};

TEST_F(GroupTest, ControlTheCheckNoticesOffsetsThatGoBackAndAlertsThatAreMissing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  scenario.SendTo(0, 0, 200);
  kafka().Commit(MockKafka::kGroup, scenario.topic(0), 0, {0, ""});
  scenario.Check();
  EXPECT_TRUE(NothingWrong(scenario));
  kafka().Commit(MockKafka::kGroup, scenario.topic(0), 0, {200, ""});
  scenario.Check();
  EXPECT_FALSE(NothingWrong(scenario)) << "committed, and no alert has come";
  const size_t problems = scenario.problems().size();
  kafka().Commit(MockKafka::kGroup, scenario.topic(0), 0, {100, ""});
  scenario.Check();
  EXPECT_GT(scenario.problems().size(), problems) << "the offset went back";
}

TEST_F(GroupTest, OffsetCommitErrorsLoseNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  GoesOnUndisturbed(scenario, *member);
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    kafka().FailNext(kCoordinator, KafkaRequest::kOffsetCommit, {error});
    scenario.Send(150);
    ASSERT_TRUE(ArrivesCompletely(scenario));
    EXPECT_EQ(Left(KafkaRequest::kOffsetCommit), 0U);
    EXPECT_FALSE(member->ended());
  }
  // The control has shown both at zero.
  EXPECT_GT(member->engine().commit_probe().epochs_resealed.value(), 0U);
  EXPECT_GT(member->engine().source_probe().lost.value(), 0U);
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

TEST_F(GroupTest, ACommitThatIsRefusedForGoodEndsTheEngine) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(scenario.MemberOptions());
  GoesOnUndisturbed(scenario, *member);
  kafka().FailNext(kCoordinator, KafkaRequest::kOffsetCommit,
                   {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED});
  scenario.Send(100);
  const absl::Status ended = member->AwaitEnd(absl::Minutes(2));
  EXPECT_NE(ended.message().find("committing offsets"), std::string::npos) << ended;
  scenario.Check();
  EXPECT_TRUE(NothingWrong(scenario));
}

TEST_F(GroupTest, AMemberThatStopsBeforeItsFirstAssignmentLeavesInPeace) {
  // Without the mitigation in ~KafkaSource librdkafka aborts the process here.
  Scenario scenario(kafka(), {.seed = Seed()});
  kafka().FailNext(kCoordinator, KafkaRequest::kSyncGroup,
                   std::vector(6, RD_KAFKA_RESP_ERR_NO_ERROR), /*delay_ms=*/1500);
  EngineMember member(scenario.MemberOptions());
  // The join has been answered, the assignment has not.
  ASSERT_TRUE(Eventually([&] { return Left(KafkaRequest::kSyncGroup) < 6; }));
  EXPECT_EQ(member.Stop(), absl::OkStatus());
}

TEST_F(GroupTest, ErrorsWhileJoiningAreOvercome) {
  Scenario scenario(kafka(), {.seed = Seed()});
  scenario.Send(200);
  kafka().FailNext(kCoordinator, KafkaRequest::kJoinGroup,
                   {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                    RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE});
  kafka().FailNext(kCoordinator, KafkaRequest::kSyncGroup,
                   {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS});
  const auto member = Start(ShortSession(scenario));
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(Left(KafkaRequest::kJoinGroup), 0U);
  EXPECT_EQ(Left(KafkaRequest::kSyncGroup), 0U);
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

TEST_F(GroupTest, HeartbeatErrorsLoseNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  GoesOnUndisturbed(scenario, *member);
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_NOT_COORDINATOR}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    kafka().FailNext(kCoordinator, KafkaRequest::kHeartbeat, {error});
    ASSERT_TRUE(Eventually([&] {
      scenario.Send(20);
      return Left(KafkaRequest::kHeartbeat) == 0;
    }));
    scenario.Send(100);
    ASSERT_TRUE(ArrivesCompletely(scenario));
    EXPECT_FALSE(member->ended());
  }
  EXPECT_GT(member->engine().source_probe().lost.value(), 0U);
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

TEST_F(GroupTest, ACoordinatorThatMovesIsFollowed) {
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

TEST_F(GroupTest, ACoordinatorThatIsDownIsWaitedFor) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  GoesOnUndisturbed(scenario, *member);
  kafka().SetDown(kCoordinator);
  scenario.Send(300);
  const Counter& epochs = member->engine().commit_probe().epochs_committed;
  const uint64_t before = epochs.value();
  // Longer than the session: the member must take itself for lost and come back.
  const Counter& lost = member->engine().source_probe().lost;
  EXPECT_TRUE(Eventually([&] { return lost.value() > 0; }));
  EXPECT_LE(epochs.value(), before + 1) << "nothing can be committed";
  kafka().SetUp(kCoordinator);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_GT(epochs.value(), before + 1);
}

// A stop must not wait for a coordinator that does not answer: a commit is under way when it comes.
// Control: with the coordinator up the same stop commits everything that was judged.
TEST_F(GroupTest, AStopWhileTheCoordinatorIsDownEndsInTimeAndLosesNothing) {
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

TEST_F(GroupTest, BrokersThatAreDownAtTheStartAreWaitedFor) {
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

TEST_F(GroupTest, AStopWhileNoBrokerHasEverAnsweredEnds) {
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
TEST_F(GroupTest, PartitionsThatAreLostDropTheirEpochAtOnceAndCommitNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  GoesOnUndisturbed(scenario, *member);
  const Gauge& unacknowledged = member->engine().sink_probe().queued_records;
  const Counter& epochs = member->engine().commit_probe().epochs_committed;
  const Counter& lost = member->engine().source_probe().lost;
  int looks = 0;
  for (int round = 0; round < 4 && looks == 0; ++round) {
    ASSERT_TRUE(ArrivesCompletely(scenario));
    const int64_t committed = scenario.Committed(0, 0);
    const uint64_t epochs_before = epochs.value();
    const uint64_t lost_before = lost.value();
    kafka().FailNext(kOutput, KafkaRequest::kProduce, std::vector(3, RD_KAFKA_RESP_ERR_NO_ERROR),
                     /*delay_ms=*/3000);
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
