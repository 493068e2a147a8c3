/// Alerts reach their topic, and offsets follow them, whatever the brokers the engine writes to do.

#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/engine/reject_guard.h"
#include "tests/integration/integration_test.h"

namespace caracal::pipeline {
namespace {

using DeliveryTest = IntegrationTest;

constexpr int32_t kOutput = MockKafka::kOutputBroker;

TEST_F(DeliveryTest, AlertsOfAllStreamsArriveAndAllOffsetsAreCommitted) {
  Scenario scenario(kafka(), {.seed = Seed()});
  scenario.Send(400);
  const auto member = Start(scenario.MemberOptions());
  EXPECT_TRUE(ArrivesCompletely(scenario));
  scenario.Send(400);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(scenario.repeated_alerts(), 0U);

  const Engine& engine = member->engine();
  EXPECT_EQ(member->consumed(), 800U);
  EXPECT_EQ(member->evaluated(), 800U);
  EXPECT_EQ(engine.commit_probe().alerts.value(), scenario.expected_alerts());
  EXPECT_EQ(engine.sink_probe().send_failures.value(), 0U);
  EXPECT_EQ(engine.source_probe().lost.value(), 0U);
  EXPECT_EQ(engine.probe().queued_batches.value(), 0);
}

TEST_F(DeliveryTest, RequestStopCommitsWhatWasJudgedAndLeavesTheGroup) {
  Scenario scenario(kafka(), {.seed = Seed()});
  EngineOptions options = scenario.MemberOptions();
  options.source.batch_records = 16;
  const auto member = Start(std::move(options));
  kafka().FailNext(MockKafka::kGroupBroker, KafkaRequest::kLeaveGroup,
                   {RD_KAFKA_RESP_ERR_NO_ERROR});
  kafka().FailNext(kOutput, KafkaRequest::kProduce, std::vector(3, RD_KAFKA_RESP_ERR_NO_ERROR),
                   /*delay_ms=*/200);
  scenario.SendTo(0, 0, 1000);
  const Gauge& unacknowledged = member->engine().sink_probe().queued_records;
  ASSERT_TRUE(Eventually([&] { return unacknowledged.value() > 0; }));
  EXPECT_EQ(member->Stop(), absl::OkStatus());

  EXPECT_EQ(kafka().FaultsLeft(MockKafka::kGroupBroker, KafkaRequest::kLeaveGroup), 0U)
      << "the group was not left";
  scenario.Check();
  EXPECT_TRUE(NothingWrong(scenario));
  EXPECT_GT(member->consumed(), 0U);
  EXPECT_EQ(scenario.Committed(0, 0), static_cast<int64_t>(member->consumed()))
      << "what was judged is committed, and nothing else";
}

// Without it, every other test of this file would prove nothing.
TEST_F(DeliveryTest, ControlTheCheckNoticesOffsetsAheadOfAlerts) {
  Scenario scenario(kafka(), {.seed = Seed()});
  scenario.Send(200);
  scenario.Check();
  EXPECT_TRUE(NothingWrong(scenario));
  EXPECT_FALSE(scenario.complete());
  EngineOptions options = scenario.MemberOptions();
  // An engine whose alerts go elsewhere commits as if they had arrived.
  kafka().CreateTopic("elsewhere", 3, kOutput);
  options.sink.alert_topic = "elsewhere";
  const auto member = Start(std::move(options));
  EXPECT_TRUE(Eventually([&] {
    scenario.Check();
    return !NothingWrong(scenario);
  }));
}

TEST_F(DeliveryTest, ProduceErrorsThatMayPassAreRetriedUntilAcknowledged) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(scenario.MemberOptions());
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR__TRANSPORT}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    kafka().FailNext(kOutput, KafkaRequest::kProduce, {error, error});
    scenario.Send(150);
    ASSERT_TRUE(ArrivesCompletely(scenario));
    EXPECT_EQ(kafka().FaultsLeft(kOutput, KafkaRequest::kProduce), 0U);
    EXPECT_FALSE(member->ended());
  }
}

TEST_F(DeliveryTest, AProducerThatFailsForGoodIsMadeAnew) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(scenario.MemberOptions());
  kafka().FailNext(kOutput, KafkaRequest::kProduce,
                   {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  scenario.Send(300);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(kafka().FaultsLeft(kOutput, KafkaRequest::kProduce), 0U);
  EXPECT_GT(member->engine().sink_probe().producer_resets.value(), 0U);
}

TEST_F(DeliveryTest, APermissionThatIsMissingEndsTheEngineAndCommitsNothing) {
  Scenario scenario(kafka(), {.seed = Seed()});
  EngineOptions options = scenario.MemberOptions();
  options.shutdown_timeout = absl::Minutes(5);
  const auto member = Start(std::move(options));
  kafka().FailNext(kOutput, KafkaRequest::kProduce,
                   std::vector(20, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
  scenario.SendTo(0, 0, 100);
  const absl::Status ended = member->AwaitEnd(absl::Minutes(1));  // it does not drain
  EXPECT_NE(ended.message().find("writing to topic 'alerts'"), std::string::npos) << ended;
  scenario.Check();
  EXPECT_TRUE(NothingWrong(scenario));
  EXPECT_FALSE(scenario.complete());
}

TEST_F(DeliveryTest, OffsetsWaitForSlowAcknowledgements) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(scenario.MemberOptions());
  const Gauge& unacknowledged = member->engine().sink_probe().queued_records;
  const Counter& epochs = member->engine().commit_probe().epochs_committed;
  int looks = 0;
  // On a machine that stands still for longer than the broker waits, a slower broker is looked at.
  for (int delay_ms = 300; delay_ms < 20'000 && looks == 0; delay_ms *= 2) {
    ASSERT_TRUE(ArrivesCompletely(scenario));
    const int64_t before = scenario.Committed(0, 0);
    kafka().FailNext(kOutput, KafkaRequest::kProduce, std::vector(4, RD_KAFKA_RESP_ERR_NO_ERROR),
                     delay_ms);
    const uint64_t epochs_before = epochs.value();
    scenario.SendTo(0, 0, 50);
    ASSERT_TRUE(Eventually([&] { return unacknowledged.value() > 0; }));
    scenario.Check();
    // The look counts only if the first epoch was surely unacknowledged until its end.
    if (unacknowledged.value() == 0 || epochs.value() > epochs_before) continue;
    ++looks;
    EXPECT_EQ(scenario.Committed(0, 0), before);
  }
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_GT(looks, 0) << "no look was made in time";
}

TEST_F(DeliveryTest, PendingOutputIsBoundedWhileAcknowledgementsAreSlow) {
  Scenario scenario(kafka(), {.seed = Seed()});
  EngineOptions options = scenario.MemberOptions();
  options.epochs.max_pending_bytes = 64 * 1024;
  options.source.batch_records = 32;
  const auto member = Start(options);
  kafka().SetDelay(kOutput, 400);
  scenario.Send(1500);
  const EngineProbe& probe = member->engine().probe();
  int64_t most_bytes = 0;
  int64_t most_batches = 0;
  EXPECT_TRUE(Eventually([&] {
    most_bytes = std::max(most_bytes, probe.pending_output_bytes.value());
    most_batches = std::max(most_batches, probe.queued_batches.value());
    return probe.backpressure_micros.value() > 500'000;
  })) << "the engine never had to wait";
  kafka().SetDelay(kOutput, 0);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  const auto bound = static_cast<int64_t>(options.epochs.max_pending_bytes);
  // What was dispatched before the bound was noticed may still come: a ring of batches per worker.
  constexpr int64_t kAlertBytes = 1500;
  const auto slack = static_cast<int64_t>(options.source.batch_records) * kAlertBytes *
                     static_cast<int64_t>(options.ring_capacity * options.worker_threads);
  EXPECT_GE(most_bytes, bound) << "the bound was never reached";
  EXPECT_LE(most_bytes, bound + slack);
  EXPECT_LE(most_batches, static_cast<int64_t>(options.ring_capacity * options.worker_threads));
}

TEST_F(DeliveryTest, AnOutputBrokerThatIsDownIsWaitedForInBoundedMemory) {
  Scenario scenario(kafka(), {.seed = Seed()});
  EngineOptions options = scenario.MemberOptions();
  options.epochs.max_pending_bytes = 64 * 1024;
  options.source.batch_records = 32;
  const auto member = Start(options);
  scenario.Send(100);
  ASSERT_TRUE(ArrivesCompletely(scenario));
  kafka().SetDown(kOutput);
  scenario.Send(1500);
  const EngineProbe& probe = member->engine().probe();
  EXPECT_TRUE(Eventually([&] { return probe.backpressure_micros.value() > 500'000; }))
      << "the engine never had to wait";
  const auto consumed_down = member->consumed();
  EXPECT_LT(consumed_down, 1600U) << "records are left in the topic, not in memory";
  EXPECT_LE(probe.pending_output_bytes.value(),
            static_cast<int64_t>(options.epochs.max_pending_bytes) + 32 * 16 * 1500);
  EXPECT_EQ(member->engine().source_probe().lost.value(), 0U) << "the group is served meanwhile";
  kafka().SetUp(kOutput);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_FALSE(member->ended());
}

TEST_F(DeliveryTest, AllBrokersDownAndUpAgain) {
  Scenario scenario(kafka(), {.seed = Seed()});
  const auto member = Start(scenario.MemberOptions());
  scenario.Send(300);
  ASSERT_TRUE(ArrivesCompletely(scenario));
  scenario.Send(300);
  kafka().SetDown(-1);
  const Counter& polls = member->engine().probe().polls;
  const uint64_t before = polls.value();
  EXPECT_TRUE(Eventually([&] { return polls.value() > before + 10; })) << "the loop stands still";
  kafka().SetUp(-1);
  EXPECT_TRUE(ArrivesCompletely(scenario));
  scenario.Send(300);
  EXPECT_TRUE(ArrivesCompletely(scenario));
}

}  // namespace
}  // namespace caracal::pipeline
