/// The coordinator refuses: nothing is lost, nothing is committed that was
/// not delivered, and the member goes on by itself.
///
/// Every test first shows, or says, what its assertions would see without the fault: the counters
/// it looks at stand still while nothing is wrong, and a fault counts only when the broker has used
/// it.

#include <string>
#include <vector>

#include "tests/integration/group_test.h"

namespace caracal::pipeline {
namespace {

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

TEST_F(GroupTest, AMemberThatIsGivenPartitionsWhileItStopsLeavesInPeace) {
  Scenario scenario(kafka(), {.seed = Seed()});
  EngineMember first(ShortSession(scenario));
  EngineMember second(ShortSession(scenario));
  ASSERT_TRUE(
      Eventually([&] { return first.open_partitions() > 0 && second.open_partitions() > 0; }));
  kafka().FailNext(kCoordinator, KafkaRequest::kSyncGroup,
                   std::vector(6, RD_KAFKA_RESP_ERR_NO_ERROR), /*delay_ms=*/700);
  EXPECT_EQ(first.Stop(), absl::OkStatus());
  // What the first had is on its way to the second.
  ASSERT_TRUE(Eventually([&] { return Left(KafkaRequest::kSyncGroup) < 6; }));
  EXPECT_EQ(second.Stop(), absl::OkStatus());
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

// As a member with an instance_id whose session has ended before it asks to join: the broker takes
// it in at once, and no partition is reported lost.
TEST_F(GroupTest, AMemberThatTheGroupTakesInAsAnotherOneEnds) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  GoesOnUndisturbed(scenario, *member);
  kafka().FailNext(kCoordinator, KafkaRequest::kJoinGroup, {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID});
  kafka().FailNext(kCoordinator, KafkaRequest::kHeartbeat,
                   {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS});
  scenario.Send(100);
  const absl::Status ended = member->AwaitEnd(absl::Minutes(2));
  EXPECT_TRUE(absl::IsUnavailable(ended)) << ended;
  EXPECT_NE(ended.message().find("as another one"), std::string::npos) << ended;
  EXPECT_EQ(Left(KafkaRequest::kJoinGroup), 0U);
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

}  // namespace
}  // namespace caracal::pipeline
