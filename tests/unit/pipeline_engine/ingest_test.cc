#include "pipeline/engine/ingest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "pipeline/types/offset_metadata.h"
#include "pipeline/types/record_mark.h"
#include "tests/support/engine_harness.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kSecond = 1'000'000;

FakeRecord Payment(int64_t id, int64_t account, int64_t time_us, const char* amount = "10.00") {
  FakeRecord record;
  record.key = fmt::format(R"({{"user_id":{}}})", account);
  record.value = fmt::format(R"({{"id":{},"user_id":{},"amount":"{}","created_at":{}}})", id,
                             account, amount, time_us);
  return record;
}

FakeRecord Garbage() {
  FakeRecord record;
  record.key = "k";
  record.value = "{not json";
  return record;
}

FakeRecord Tombstone() {
  FakeRecord record;
  record.key = "k";
  record.null_value = true;
  return record;
}

// Times must be far from zero, which means "no time" in rows without a schema.
constexpr int64_t kStart = 1'700'000'000 * kSecond;

TEST(IngestTest, RaisesAlertsAndCommitsTheEndOfTheLog) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)});
  for (int64_t i = 0; i < 5; ++i) engine.source().Append(0, Payment(i, 7, kStart + i * kSecond));
  engine.source().Assign(0);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.CommittedAlerts().size(), 3U) << "the third, fourth and fifth payment";
  EXPECT_EQ(engine.CommittedOffset(0), 5);
  EXPECT_EQ(engine.stream_probe().evaluated.value(), 5U);
}

TEST(IngestTest, EveryRecordHasExactlyOneOutcome) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)});
  engine.source().Append(0, Payment(1, 7, kStart));
  engine.source().Append(0, Payment(1, 7, kStart));  // the same row again
  engine.source().Append(0, Garbage());
  engine.source().Append(0, Tombstone());
  engine.source().Append(0, Payment(2, 7, kStart));
  engine.source().Assign(0);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  const StreamProbe& probe = engine.stream_probe();
  EXPECT_EQ(probe.consumed.value(), 5U);
  EXPECT_EQ(probe.evaluated.value(), 2U);
  EXPECT_EQ(probe.skipped[static_cast<size_t>(SkipReason::kDuplicate)].value(), 1U);
  EXPECT_EQ(probe.skipped[static_cast<size_t>(SkipReason::kTombstone)].value(), 1U);
  EXPECT_EQ(probe.rejected[static_cast<size_t>(RejectReason::kMalformedJson)].value(), 1U);
  EXPECT_EQ(engine.CommittedDeadLetters(), std::vector<std::string>{"0/2 k {not json"});
  EXPECT_EQ(engine.CommittedOffset(0), 5);
}

TEST(IngestTest, CountsRecordsThatTookTheFullParse) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)});
  for (int64_t i = 100; i < 200; ++i) engine.source().Append(0, Payment(i, 7, kStart));
  engine.source().Assign(0);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  const StreamProbe& probe = engine.stream_probe();
  EXPECT_EQ(probe.consumed.value(), 100U);
  EXPECT_GE(probe.full_parses.value(), 1U);
  EXPECT_LE(probe.full_parses.value(), 5U);
}

TEST(IngestTest, CountsTransactionsThatAreJudgedByAnotherClock) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)});
  const auto append = [&engine](int64_t id, int64_t time_us) {
    FakeRecord record = Payment(id, 7, time_us);
    record.timestamp_ms = kStart / 1000;
    engine.source().Append(0, record);
  };
  append(1, kStart);
  append(2, 0);                                     // no time in a row without a schema
  append(3, kStart + 10 * 365 * 86'400 * kSecond);  // years ahead of its record
  engine.source().Assign(0, {.replay_from = 0, .committed = 2, .alert_from = 0});
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.stream_probe().time_from_record.value(), 1U) << "replayed ones count once";
  EXPECT_EQ(engine.stream_probe().time_from_source_commit.value(), 0U);
}

TEST(IngestTest, ARuleThatBeginsLaterSeesNoReplayedRecordBelowItsStart) {
  for (const uint32_t workers : {0U, 3U}) {
    agents::RulesetSpec known = VelocityRuleset(4, 60 * kSecond);
    agents::RulesetSpec added = VelocityRuleset(2, 60 * kSecond);
    added.name = "added";
    EngineHarness engine({known, added}, {.worker_threads = workers, .batch_records = 3});
    for (int64_t i = 0; i < 9; ++i) engine.source().Append(0, Payment(i, 7, kStart + i * kSecond));
    StartPosition position = {.replay_from = 0, .committed = 6};
    for (const agents::KeyGroup& group : engine.rulesets().layout().groups) {
      for (const agents::StateSlice& slice : group.slices) {
        // Within the replay: the rule was activated before, and its state is rebuilt too.
        if (slice.ruleset == 1) position.state_starts.push_back({slice.id, 5});
      }
    }
    ASSERT_EQ(position.state_starts.size(), 1U);
    engine.source().Assign(0, position);
    ASSERT_TRUE(engine.RunUntilIdle().ok());
    std::map<std::string, int> alerts;
    for (const std::string& line : engine.CommittedAlerts()) {
      ++alerts[line.substr(0, 4) +
               (line.find("\"added\"") == std::string::npos ? "known" : "added")];
    }
    // Records 6, 7, 8 are live; the added rule has seen 5 and later, so it raises from 7 on.
    EXPECT_EQ(alerts, (std::map<std::string, int>{{"0/6 known", 1},
                                                  {"0/7 known", 1},
                                                  {"0/8 known", 1},
                                                  {"0/7 added", 1},
                                                  {"0/8 added", 1}}))
        << workers << " workers";
  }
}

TEST(IngestTest, AlertsOnStateWithAGapSayThatItIsTruncated) {
  for (const bool gap : {false, true}) {
    EngineHarness engine({VelocityRuleset(2, 60 * kSecond)});
    for (int64_t i = 0; i < 6; ++i) engine.source().Append(0, Payment(i, 7, kStart + i * kSecond));
    engine.source().Assign(0, {.replay_from = 3, .committed = 5, .state_gap = gap});
    ASSERT_TRUE(engine.RunUntilIdle().ok());
    const std::vector<std::string> alerts = engine.CommittedAlerts();
    ASSERT_EQ(alerts.size(), 1U);
    EXPECT_EQ(alerts[0].find("\"state_truncated\":true") != std::string::npos, gap) << alerts[0];
  }
}

TEST(IngestTest, TheCommittedOffsetCarriesTheMarkOfTheLastRecord) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)});
  const FakeRecord last = Garbage();
  engine.source().Append(0, Payment(1, 7, kStart));
  engine.source().Append(0, last);
  engine.source().Assign(0);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  const auto metadata =
      ParseOffsetMetadata(engine.committer().epochs().back().partitions[0].metadata);
  ASSERT_TRUE(metadata.ok());
  EXPECT_EQ(metadata->last, MarkOf(1, last.timestamp_ms, last.key, last.value));
}

TEST(IngestTest, ReplayRebuildsStateAndEmitsNothingBelowTheCommittedOffset) {
  const auto fill = [](EngineHarness& engine) {
    for (int64_t i = 0; i < 4; ++i) engine.source().Append(0, Payment(i, 7, kStart + i * kSecond));
    engine.source().Append(0, Garbage());
    engine.source().Append(0, Payment(5, 7, kStart + 5 * kSecond));
  };
  EngineHarness whole({VelocityRuleset(2, 60 * kSecond)});
  fill(whole);
  const LeasePtr whole_lease = whole.source().Assign(0);
  ASSERT_TRUE(whole.RunUntilIdle().ok());

  EngineHarness restarted({VelocityRuleset(2, 60 * kSecond)});
  fill(restarted);
  const LeasePtr lease =
      restarted.source().Assign(0, {.replay_from = 0, .committed = 5, .alert_from = 0});
  ASSERT_TRUE(restarted.RunUntilIdle().ok());
  EXPECT_EQ(restarted.CommittedAlerts(), std::vector<std::string>{whole.CommittedAlerts().back()});
  EXPECT_TRUE(restarted.CommittedDeadLetters().empty());
  EXPECT_EQ(restarted.stream_probe().replayed.value(), 5U);
  EXPECT_EQ(restarted.stream_probe().consumed.value(), 1U);
  EXPECT_EQ(restarted.BucketDigests(lease), whole.BucketDigests(whole_lease));
}

TEST(IngestTest, TellsOfEveryPartitionWhatItHoldsAndWhereItStands) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)}, {.worker_threads = 2});
  for (int64_t i = 0; i < 6; ++i) engine.source().Append(0, Payment(i, i % 3, kStart));
  engine.source().Append(1, Payment(9, 7, kStart));
  for (int32_t partition = 0; partition < 3; ++partition) engine.source().Assign(partition);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  engine.clock().Advance(2 * kSecond);
  ASSERT_TRUE(engine.ingest().Step().ok());
  const std::vector<PartitionStatus> status = engine.ingest().Partitions();
  ASSERT_EQ(status.size(), 3U);
  EXPECT_EQ(status[0].state_keys, 3);
  EXPECT_EQ(status[1].state_keys, 1);
  EXPECT_EQ(status[2].state_keys, 0);
  EXPECT_GT(status[0].state_bytes, status[2].state_bytes);
  EXPECT_EQ(status[0].committed_offset, 6);
  EXPECT_GT(status[0].epoch, 0U);
  EXPECT_EQ(status[2].epoch, 0U) << "no epoch has moved it";
}

TEST(IngestTest, RecordsBeforeAlertFromWarmSilently) {
  EngineHarness engine({VelocityRuleset(1, 60 * kSecond)});
  for (int64_t i = 0; i < 4; ++i) engine.source().Append(0, Payment(i, 7, kStart + i));
  engine.source().Assign(0, {.alert_from = 3});
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  ASSERT_EQ(engine.CommittedAlerts().size(), 1U);
  EXPECT_EQ(engine.CommittedAlerts()[0].substr(0, 3), "0/3");
  EXPECT_EQ(engine.stream_probe().warmed.value(), 3U);
  EXPECT_EQ(engine.stream_probe().evaluated.value(), 4U);
}

TEST(IngestTest, AStormOfRejectsPausesThePartitionUntilItIsResumed) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)}, {.batch_records = 100});
  for (int i = 0; i < 3'000; ++i) engine.source().Append(0, Garbage());
  for (int64_t i = 0; i < 10; ++i) engine.source().Append(1, Payment(i, 7, kStart));
  engine.source().Assign(0);
  engine.source().Assign(1);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.CommittedDeadLetters().size(), RejectGuard::kMaxRejects + 1);
  EXPECT_EQ(engine.CommittedOffset(0), static_cast<int64_t>(RejectGuard::kMaxRejects) + 1);
  EXPECT_EQ(engine.CommittedOffset(1), 10) << "other partitions go on";
  EXPECT_EQ(engine.probe().paused_partitions.value(), 1);
  // No time has passed: what the log says of the pause may be answered at once.
  EXPECT_FALSE(engine.ingest().RequestResume("t0", 1).ok()) << "it is not paused";
  ASSERT_TRUE(engine.ingest().RequestResume("t0", 0).ok());
  ASSERT_TRUE(engine.Step().ok());
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.CommittedOffset(0), 3'000);
  EXPECT_EQ(engine.CommittedDeadLetters().size(), 3'000U);
}

TEST(IngestTest, GoesOnThroughAStormWhenConfiguredSo) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)}, {.pause_on_storm = false});
  for (int i = 0; i < 3'000; ++i) engine.source().Append(0, Garbage());
  engine.source().Assign(0);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.CommittedDeadLetters().size(), 3'000U);
}

TEST(IngestTest, StopsTakingRecordsWhenOutputsPileUpAndKeepsServingTheGroup) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)},
                       {.epochs = {.max_pending_bytes = 20'000}});
  for (int i = 0; i < 2'000; ++i) engine.source().Append(0, Garbage());
  engine.source().Assign(0);
  engine.committer().Cork();
  for (int i = 0; i < 300; ++i) {
    engine.clock().Advance(50'000);
    ASSERT_TRUE(engine.Step().ok());
  }
  EXPECT_FALSE(engine.source().Drained());
  EXPECT_GT(engine.source().serve_only_polls(), 100);
  EXPECT_TRUE(engine.CommittedDeadLetters().empty());
  engine.committer().Uncork();
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.CommittedDeadLetters().size(), 2'000U);
}

TEST(IngestTest, ARevokedPartitionIsReleasedWhenItsEpochHasEnded) {
  EngineHarness engine({VelocityRuleset(2, 60 * kSecond)});
  for (int64_t i = 0; i < 20; ++i) engine.source().Append(0, Payment(i, 7, kStart));
  const LeasePtr lease = engine.source().Assign(0);
  engine.committer().Cork();
  for (int i = 0; i < 20; ++i) {
    engine.clock().Advance(50'000);
    ASSERT_TRUE(engine.Step().ok());
  }
  engine.source().Revoke(0);
  ASSERT_TRUE(engine.Step().ok());
  EXPECT_TRUE(engine.source().released_leases().empty()) << "its epoch is being committed";
  engine.committer().Uncork();
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.source().released_leases(), std::vector<uint64_t>{lease->id()});
}

TEST(IngestTest, WhatWasNotCommittedBeforeARevokeIsDoneAgainByTheNextOwner) {
  EngineHarness engine({VelocityRuleset(0, 60 * kSecond)});
  for (int64_t i = 0; i < 10; ++i) engine.source().Append(0, Payment(i, 7, kStart));
  engine.source().Assign(0);
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  engine.source().Revoke(0);
  engine.source().Assign(0, {.replay_from = 0, .committed = 4, .alert_from = 0});
  ASSERT_TRUE(engine.RunUntilIdle().ok());
  EXPECT_EQ(engine.CommittedAlerts().size(), 16U);
  EXPECT_EQ(engine.CommittedAlerts()[10].substr(0, 3), "0/4");
}

TEST(IngestTest, DrainCommitsWhatWasTakenAndNothingMore) {
  EngineHarness engine({VelocityRuleset(0, 60 * kSecond)}, {.batch_records = 4});
  for (int64_t i = 0; i < 20; ++i) engine.source().Append(0, Payment(i, 7, kStart));
  engine.source().Assign(0);
  ASSERT_TRUE(engine.Step().ok());
  ASSERT_TRUE(engine.ingest().Drain(absl::Seconds(10)).ok());
  EXPECT_EQ(engine.CommittedOffset(0), 4);
  EXPECT_EQ(engine.CommittedAlerts().size(), 4U);
}

struct RandomLog {
  explicit RandomLog(uint32_t seed) : random(seed) {}

  FakeRecord Next() {
    switch (random() % 20) {
      case 0:
        return Garbage();
      case 1:
        return Tombstone();
      default:
        break;
    }
    const int64_t id = static_cast<int64_t>(random() % 700);
    const int64_t time = kStart + static_cast<int64_t>(random() % 600) * kSecond;
    return Payment(id, static_cast<int64_t>(random() % 40), time);
  }
  std::mt19937 random;
};

// The same log through every number of workers and batch size must give the same bytes.
TEST(IngestTest, ResultsDoNotDependOnWorkersOrBatches) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::vector<std::string> expected;
  std::vector<std::vector<agents::StateDigest>> expected_digests;
  for (const uint32_t workers : {0U, 1U, 2U, 4U}) {
    for (const size_t batch : {size_t{1}, size_t{7}, size_t{256}}) {
      EngineHarness engine({VelocityRuleset(3, 120 * kSecond),
                            [] {
                              agents::RulesetSpec second = VelocityRuleset(8, 300 * kSecond);
                              second.name = "slow-burst";
                              return second;
                            }()},
                           {.worker_threads = workers, .batch_records = batch});
      RandomLog log(seed);
      std::vector<LeasePtr> leases;
      for (int32_t partition = 0; partition < 3; ++partition) {
        for (int i = 0; i < 600; ++i) engine.source().Append(partition, log.Next());
        leases.push_back(engine.source().Assign(partition));
      }
      ASSERT_TRUE(engine.RunUntilIdle().ok());
      std::vector<std::string> alerts = engine.CommittedAlerts();
      // Partitions interleave by epoch; within one the order is that of its offsets.
      std::stable_sort(alerts.begin(), alerts.end(),
                       [](const std::string& a, const std::string& b) {
                         return a.substr(0, 1) < b.substr(0, 1);
                       });
      std::vector<std::vector<agents::StateDigest>> digests;
      for (const LeasePtr& lease : leases) digests.push_back(engine.BucketDigests(lease));
      if (expected.empty()) {
        expected = alerts;
        expected_digests = digests;
        EXPECT_GT(expected.size(), 50U);
      }
      EXPECT_EQ(alerts, expected) << workers << " workers, batches of " << batch;
      EXPECT_EQ(digests, expected_digests) << workers << " workers, batches of " << batch;
    }
  }
}

}  // namespace
}  // namespace caracal::pipeline
