/// Members come, go and vanish, and the coordinator refuses: nothing is lost, nothing is judged by
/// two, and the group goes on by itself.

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/integration_test.h"

namespace caracal::pipeline {
namespace {

using GroupTest = IntegrationTest;

constexpr int32_t kCoordinator = MockKafka::kGroupBroker;

/// With a session that is just long enough for the mock, so that rebalances take 2.5 s.
EngineOptions ShortSession(const Scenario& scenario) {
  EngineOptions options = scenario.MemberOptions();
  options.source.connection.properties["session.timeout.ms"] = "3500";
  return options;
}

TEST_F(GroupTest, OffsetCommitErrorsLoseNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    kafka().FailNext(kCoordinator, KafkaRequest::kOffsetCommit, {error});
    scenario.Send(150);
    ASSERT_TRUE(ArrivesCompletely(scenario));
    EXPECT_EQ(kafka().FaultsLeft(kCoordinator, KafkaRequest::kOffsetCommit), 0U);
    EXPECT_FALSE(member->ended());
  }
  EXPECT_GT(member->engine().commit_probe().epochs_resealed.value(), 0U);
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

TEST_F(GroupTest, ACommitThatIsRefusedForGoodEndsTheEngine) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(scenario.MemberOptions());
  kafka().FailNext(kCoordinator, KafkaRequest::kOffsetCommit,
                   {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED});
  scenario.Send(100);
  const absl::Status ended = member->AwaitEnd(absl::Minutes(1));
  EXPECT_NE(ended.message().find("committing offsets"), std::string::npos) << ended;
  scenario.Check();
  EXPECT_TRUE(NothingWrong(scenario));
}

TEST_F(GroupTest, AMemberThatStopsBeforeItsFirstAssignmentLeavesInPeace) {
  Scenario scenario(kafka(), {.seed = Seed()});
  kafka().FailNext(kCoordinator, KafkaRequest::kSyncGroup,
                   std::vector(6, RD_KAFKA_RESP_ERR_NO_ERROR), /*delay_ms=*/1500);
  EngineMember member(scenario.MemberOptions());
  // The join has been answered, the assignment has not.
  ASSERT_TRUE(
      Eventually([&] { return kafka().FaultsLeft(kCoordinator, KafkaRequest::kSyncGroup) < 6; }));
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
  EXPECT_EQ(kafka().FaultsLeft(kCoordinator, KafkaRequest::kJoinGroup), 0U);
  EXPECT_EQ(kafka().FaultsLeft(kCoordinator, KafkaRequest::kSyncGroup), 0U);
}

TEST_F(GroupTest, HeartbeatErrorsLoseNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_NOT_COORDINATOR}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    kafka().FailNext(kCoordinator, KafkaRequest::kHeartbeat, {error});
    ASSERT_TRUE(Eventually([&] {
      scenario.Send(20);
      return kafka().FaultsLeft(kCoordinator, KafkaRequest::kHeartbeat) == 0;
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
  for (const int32_t broker : {MockKafka::kOutputBroker, MockKafka::kSourceBroker, kCoordinator}) {
    SCOPED_TRACE(broker);
    kafka().FailNext(MockKafka::kSourceBroker, KafkaRequest::kFindCoordinator,
                     {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE});
    kafka().SetCoordinator(broker);
    scenario.Send(150);
    ASSERT_TRUE(ArrivesCompletely(scenario));
  }
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

TEST_F(GroupTest, ACoordinatorThatIsDownIsWaitedFor) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(ShortSession(scenario));
  scenario.Send(100);
  ASSERT_TRUE(ArrivesCompletely(scenario));
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
}

TEST_F(GroupTest, PartitionsMoveToAJoiningMemberAndBack) {
  Scenario scenario(kafka(), {.seed = Seed(), .streams = {4, 3}});
  const auto first = Start(ShortSession(scenario));
  scenario.Send(300);
  ASSERT_TRUE(ArrivesCompletely(scenario));
  {
    EngineMember second(ShortSession(scenario));
    ASSERT_TRUE(Eventually([&] {
      scenario.Send(10);
      scenario.Check();
      return second.open_partitions() > 0 && AllOpen(second) && AllOpen(*first) &&
             first->open_partitions() + second.open_partitions() == 7;
    })) << first->open_partitions()
        << " and " << second.open_partitions() << " of 7 partitions";
    EXPECT_GE(second.open_partitions(), 3);
    EXPECT_GE(first->open_partitions(), 3) << "the others stay where they are";
    scenario.Send(300);
    EXPECT_TRUE(ArrivesCompletely(scenario));
    EXPECT_GT(second.evaluated(), 0U);
    EXPECT_EQ(second.Stop(), absl::OkStatus());
  }
  ASSERT_TRUE(Eventually([&] {
    scenario.Send(10);
    scenario.Check();
    return AllOpen(*first) && first->open_partitions() == 7;
  }));
  scenario.Send(300);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(first->engine().source_probe().lost.value(), 0U);
  EXPECT_EQ(first->Stop(), absl::OkStatus());
}

TEST_F(GroupTest, AMemberThatVanishesAndComesBackAtOnceLosesNothing) {
  Scenario scenario(kafka(), {.seed = Seed(), .streams = {4, 3}});
  const auto first = Start(ShortSession(scenario));
  auto second = std::make_unique<EngineMember>([&] {
    EngineOptions options = ShortSession(scenario);
    options.shutdown_timeout = absl::ZeroDuration();  // it commits nothing more
    return options;
  }());
  ASSERT_TRUE(Eventually([&] {
    return second->open_partitions() > 0 && AllOpen(*second) && AllOpen(*first) &&
           first->open_partitions() + second->open_partitions() == 7;
  }));
  scenario.Send(400);
  ASSERT_TRUE(Eventually([&] { return second->evaluated() > 0; }));
  // The group does not hear that it leaves.
  kafka().FailNext(kCoordinator, KafkaRequest::kLeaveGroup, {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  static_cast<void>(second->Stop());
  EXPECT_EQ(kafka().FaultsLeft(kCoordinator, KafkaRequest::kLeaveGroup), 0U);
  scenario.Send(400);
  second = std::make_unique<EngineMember>(ShortSession(scenario));
  EXPECT_TRUE(Eventually([&] {
    return second->open_partitions() > 0 && AllOpen(*second) && AllOpen(*first) &&
           first->open_partitions() + second->open_partitions() == 7;
  }));
  scenario.Send(200);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_FALSE(first->ended());
  EXPECT_FALSE(second->ended());
}

}  // namespace
}  // namespace caracal::pipeline
