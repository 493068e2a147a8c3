/// Members come, go and vanish while records are in flight: nothing is lost, no partition is judged
/// by two, and what one has not committed the other judges again.

#include <memory>
#include <utility>
#include <vector>

#include "tests/integration/integration_test.h"

namespace caracal::pipeline {
namespace {

constexpr int32_t kCoordinator = MockKafka::kGroupBroker;
constexpr int64_t kPartitions = 7;

class MemberTest : public IntegrationTest {
 protected:
  static ScenarioOptions TwoStreams() { return {.seed = Seed(), .streams = {4, 3}}; }

  /// The mock waits for its members for a session less a second at every rebalance.
  static EngineOptions WithSession(const Scenario& scenario, const char* session_ms) {
    EngineOptions options = scenario.MemberOptions();
    options.source.connection.properties["session.timeout.ms"] = session_ms;
    return options;
  }

  /// Both have their share and have opened it. Records keep coming meanwhile.
  ::testing::AssertionResult Share(Scenario& scenario, const EngineMember& first,
                                   const EngineMember& second) {
    const bool shared = Eventually([&] {
      scenario.Send(10);
      scenario.Check();
      return AllOpen(first) && AllOpen(second) &&
             first.open_partitions() + second.open_partitions() == kPartitions;
    });
    if (shared) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure()
           << first.open_partitions() << " and " << second.open_partitions() << " of 7 partitions";
  }
};

// Control: without the second member nothing moves, and Share never holds; without its stop the
// partitions never come back. That no partition is lost on the way is a matter of a real broker
// (tests/chaos, row moves): the mock gives members up that a busy machine keeps from joining.
TEST_F(MemberTest, PartitionsMoveToAJoiningMemberAndBackWhileRecordsAreInFlight) {
  Scenario scenario(kafka(), TwoStreams());
  const auto first = Start(WithSession(scenario, "6000"));
  scenario.Send(300);
  ASSERT_TRUE(ArrivesCompletely(scenario));
  {
    EngineMember second(WithSession(scenario, "6000"));
    ASSERT_TRUE(Share(scenario, *first, second));
    EXPECT_GE(second.open_partitions(), 3);
    EXPECT_GE(first->open_partitions(), 3) << "the others stay where they are";
    scenario.Send(300);
    EXPECT_TRUE(ArrivesCompletely(scenario));
    EXPECT_GT(second.evaluated(), 0U);
    scenario.Send(300);
    EXPECT_EQ(second.Stop(), absl::OkStatus());
  }
  ASSERT_TRUE(Eventually([&] {
    scenario.Send(10);
    scenario.Check();
    return AllOpen(*first) && first->open_partitions() == kPartitions;
  }));
  scenario.Send(300);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(first->Stop(), absl::OkStatus());
}

// A member that leaves in order, with time to drain, commits what it has judged (the test above).
TEST_F(MemberTest, AMemberThatVanishesWithoutACommitLosesNothing) {
  Scenario scenario(kafka(), TwoStreams());
  const auto first = Start(WithSession(scenario, "3500"));
  EngineOptions abrupt = WithSession(scenario, "3500");
  abrupt.shutdown_timeout = absl::ZeroDuration();  // it commits nothing more
  abrupt.epochs.commit_interval_us = 60'000'000;
  auto second = std::make_unique<EngineMember>(std::move(abrupt));
  ASSERT_TRUE(Eventually([&] {
    return AllOpen(*second) && AllOpen(*first) &&
           first->open_partitions() + second->open_partitions() == kPartitions;
  }));
  scenario.Send(400);
  ASSERT_TRUE(Eventually([&] { return second->consumed() > 0; }));
  // The group does not hear that it leaves.
  kafka().FailNext(kCoordinator, KafkaRequest::kLeaveGroup, {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  static_cast<void>(second->Stop());
  EXPECT_EQ(kafka().FaultsLeft(kCoordinator, KafkaRequest::kLeaveGroup), 0U);
  scenario.Send(400);
  second = std::make_unique<EngineMember>(WithSession(scenario, "3500"));
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_FALSE(first->ended());
  EXPECT_FALSE(second->ended());
  EXPECT_EQ(second->Stop(), absl::OkStatus());
  EXPECT_EQ(first->Stop(), absl::OkStatus());
}

// One of two is fenced while its alerts are not acknowledged yet: the other takes its partitions
// over, and the acknowledgements that come late commit nothing. Control: no partition was lost
// before the coordinator refused a heartbeat.
TEST_F(MemberTest, AMemberThatIsFencedCommitsNothingOfWhatItLost) {
  Scenario scenario(kafka(), TwoStreams());
  const auto first = Start(WithSession(scenario, "3500"));
  const auto second = std::make_unique<EngineMember>(WithSession(scenario, "3500"));
  ASSERT_TRUE(Share(scenario, *first, *second));
  ASSERT_TRUE(ArrivesCompletely(scenario));
  const auto lost = [&] {
    return first->engine().source_probe().lost.value() +
           second->engine().source_probe().lost.value();
  };
  if (Undisturbed()) {
    EXPECT_EQ(lost(), 0U);
  }
  const uint64_t before = lost();
  kafka().FailNext(MockKafka::kOutputBroker, KafkaRequest::kProduce,
                   std::vector(6, RD_KAFKA_RESP_ERR_NO_ERROR), /*delay_ms=*/1500);
  scenario.Send(400);
  kafka().FailNext(kCoordinator, KafkaRequest::kHeartbeat, {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID});
  ASSERT_TRUE(Eventually([&] {
    scenario.Check();
    return lost() > before;
  }));
  EXPECT_TRUE(NothingWrong(scenario));
  ASSERT_TRUE(Share(scenario, *first, *second));
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(second->Stop(), absl::OkStatus());
  EXPECT_EQ(first->Stop(), absl::OkStatus());
}

}  // namespace
}  // namespace caracal::pipeline
