// What becomes of an assigned partition: where it starts, what is recorded before its first record,
// and the sentences that stop the engine. The broker is the mock cluster's; offsets, state topic
// and single records are the test's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/mutex.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/source/partition_restorer.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTopic = "bank.public.transactions";
constexpr const char* kRules = "9c1e4d20a7b3";
constexpr const char* kOtherRules = "5a0b33c1de02";
constexpr int64_t kLogEnd = 20;

class FakeOffsets : public OffsetStore {
 public:
  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override {
    for (const OffsetCommit& commit : offsets) {
      commits.push_back(commit);
      committed = {commit.offset, commit.metadata};
    }
    return {};
  }
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                         absl::Duration /*max_wait*/) override {
    return std::vector<CommittedOffset>(leases.size(), committed);
  }

  CommittedOffset committed;
  std::vector<OffsetCommit> commits;
};

class FakeLoader : public SnapshotLoader {
 public:
  absl::StatusOr<std::vector<LoadedState>> Load(std::span<const RestoreRequest> wanted,
                                                OffsetStore& /*offsets*/) override {
    requests.assign(wanted.begin(), wanted.end());
    LoadedState answer = state;
    if (!wanted[0].activations.empty() && answer.base < 0) {
      answer.base = wanted[0].activations.front().offset;
    }
    return std::vector<LoadedState>(wanted.size(), answer);
  }
  absl::Status RecordRules(std::span<const LeasePtr> leases) override {
    if (!leases.empty() && on_record) on_record();
    recorded += leases.size();
    return absl::OkStatus();
  }
  void Stop() override {}

  LoadedState state = {.base = -1};
  std::vector<RestoreRequest> requests;
  size_t recorded = 0;
  std::function<void()> on_record;
};

class FakeRecords : public RecordReader {
 public:
  absl::StatusOr<std::vector<std::optional<RecordMark>>> Read(
      std::span<const RecordPlace> places) override {
    asked += places.size();
    if (on_read) on_read();
    return std::vector<std::optional<RecordMark>>(places.size(), mark);
  }

  void Stop() override {}

  std::optional<RecordMark> mark;
  size_t asked = 0;
  std::function<void()> on_read;
};

class RestoreOutcomesTest : public ::testing::Test {
 protected:
  RestoreOutcomesTest() {
    kafka_.CreateTopic(kTopic, 1);
    std::vector<TopicRecord> records(kLogEnd, TopicRecord{.key = "k", .value = "v"});
    kafka_.Append(kTopic, records);
    KafkaConnection connection;
    connection.bootstrap_servers = kafka_.bootstrap_servers();
    auto conf = MakeKafkaConf(connection, {}, {{"group.id", "unused"}});
    CHECK(conf.ok());
    auto client = MakeKafkaClient(RD_KAFKA_CONSUMER, *std::move(conf));
    CHECK(client.ok());
    client_ = *std::move(client);
    options_.topics.push_back({.name = kTopic, .rules = kRules});
    options_.buckets = 2;
  }

  void SetCommitted(int64_t offset, const OffsetMetadata& metadata) {
    offsets_.committed = {offset, FormatOffsetMetadata(metadata)};
  }
  /// Copies of both buckets.
  void SetCopies(int64_t first, int64_t second) {
    loader_.state.buckets =
        std::make_shared<RestoredState>(RestoredState{{0, first, nullptr}, {1, second, nullptr}});
  }

  LeasePtr MakeLease() { return std::make_shared<PartitionLease>(next_lease_++, 0, kTopic, 0, 0); }
  /// The group assigns the partition; the next call takes it back and assigns it again. `others`
  /// are asked for together with it and do not come to an end.
  absl::StatusOr<StartPosition> Restore(std::vector<LeasePtr> others = {}) {
    if (restorer_ == nullptr) {
      restorer_ = std::make_unique<PartitionRestorer>(client_.get(), offsets_, records_, &loader_,
                                                      options_, probe_, [this] {
                                                        MutexLock lock(&mutex_);
                                                        ready_ = true;
                                                      });
      restorer_->Start();
    }
    others.push_back(MakeLease());
    restorer_->Submit(std::move(others));
    MutexLock lock(&mutex_);
    mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ready_; });
    ready_ = false;
    std::vector<RestoredPartition> finished = restorer_->Take();
    CHECK(finished.size() == 1);
    return std::move(finished[0].position);
  }
  std::string Refusal() {
    const absl::StatusOr<StartPosition> position = Restore();
    CHECK(!position.ok());
    return agents::MessageOf(position.status());
  }

  MockKafka kafka_;
  KafkaClient client_;
  FakeOffsets offsets_;
  FakeLoader loader_;
  FakeRecords records_;
  SourceOptions options_;
  RestorerProbe probe_;
  Mutex mutex_;
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_lease_ = 1;
  std::unique_ptr<PartitionRestorer> restorer_;
};

TEST_F(RestoreOutcomesTest, AFreshPartitionIsRecordedBeforeItsFirstRecord) {
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->replay_from, 0);
  EXPECT_EQ(position->rules, kRules);
  ASSERT_EQ(offsets_.commits.size(), 1U);
  EXPECT_EQ(offsets_.commits[0].metadata, FormatOffsetMetadata({0, 0, kRules}));
  EXPECT_EQ(loader_.recorded, 1U);
  EXPECT_EQ(probe_.activations.value(), 0U);
}

TEST_F(RestoreOutcomesTest, TheSameRulesGoOnAndNothingIsRecorded) {
  SetCommitted(15, {3, 4, kRules});
  SetCopies(10, 12);
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->replay_from, 10);
  EXPECT_EQ(position->committed, 15);
  EXPECT_EQ(position->activation, 3);
  EXPECT_EQ(position->alert_from, 4);
  EXPECT_TRUE(offsets_.commits.empty());
}

TEST_F(RestoreOutcomesTest, OtherRulesTakeEffectAtTheCommittedOffset) {
  SetCommitted(15, {3, 4, kOtherRules});
  loader_.state.starts = {{{1, 1}, 3}, {{2, 2}, 15}};
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  const std::vector<Activation> activations = {{3, kOtherRules}, {15, kRules}};
  EXPECT_EQ(loader_.requests[0].activations, activations);
  EXPECT_EQ(position->activations, activations);
  EXPECT_EQ(position->replay_from, 3) << "no copies: from the first activation";
  EXPECT_EQ(position->state_starts, (std::vector<StateStart>{{{2, 2}, 15}}));
  ASSERT_EQ(offsets_.commits.size(), 1U) << "recorded before the first record";
  EXPECT_EQ(offsets_.commits[0].offset, 15);
  EXPECT_EQ(ActivationsOf(*ParseOffsetMetadata(offsets_.commits[0].metadata)), activations);
  EXPECT_EQ(probe_.activations.value(), 1U);
  EXPECT_EQ(probe_.rule_conflicts.value(), 0U);
}

TEST_F(RestoreOutcomesTest, WhatEarlierRulesLeftBehindIsForgottenWhereNothingRestsOnIt) {
  SetCommitted(15, {3, 4, kOtherRules});
  loader_.state.base = 15;  // the state topic does not know the other rules
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->replay_from, 15);
  EXPECT_EQ(position->activation, 15);
  EXPECT_TRUE(position->activations.empty());
}

TEST_F(RestoreOutcomesTest, APartitionTakenBackFromOtherRulesRaisesTheAlarm) {
  SetCommitted(10, {0, 0, kRules});
  ASSERT_TRUE(Restore().ok());
  SetCommitted(15, MetadataOf({{0, kRules}, {10, kOtherRules}}, 0));
  ASSERT_TRUE(Restore().ok());
  EXPECT_EQ(probe_.activations.value(), 1U);
  EXPECT_EQ(probe_.rule_conflicts.value(), 1U);
}

TEST_F(RestoreOutcomesTest, ARewindForgetsActivationsBeyondIt) {
  SetCommitted(6, MetadataOf({{0, kRules}, {10, kOtherRules}}, 0));
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_TRUE(position->activations.empty());
  EXPECT_EQ(position->activation, 0);
  EXPECT_EQ(loader_.requests[0].committed, 6) << "copies beyond it are deleted";
}

TEST_F(RestoreOutcomesTest, AnOffsetBeyondTheLogStops) {
  SetCommitted(kLogEnd + 1, {0, 0, kRules});
  EXPECT_THAT(Refusal(), HasSubstr("lies beyond the end of the log"));
  EXPECT_TRUE(loader_.requests[0].activations.empty()) << "no copy may be deleted for it";
}

TEST_F(RestoreOutcomesTest, StateWithoutACommittedOffsetStops) {
  loader_.state.newest = 12;
  EXPECT_THAT(Refusal(), HasSubstr("caracal offsets set"));
  EXPECT_TRUE(offsets_.commits.empty());
}

TEST_F(RestoreOutcomesTest, RulesWithoutACommittedOffsetStopBeforeAnythingIsSaved) {
  loader_.state.has_rules = true;
  EXPECT_THAT(Refusal(), HasSubstr("says by which rules it was judged"));
  EXPECT_TRUE(offsets_.commits.empty());
  EXPECT_EQ(loader_.recorded, 0U);
}

TEST_F(RestoreOutcomesTest, RulesOfAFreshPartitionAreRecordedBehindItsOffset) {
  loader_.on_record = [this] { EXPECT_EQ(offsets_.commits.size(), 1U); };
  ASSERT_TRUE(Restore().ok());
  EXPECT_EQ(loader_.recorded, 1U);
}

TEST_F(RestoreOutcomesTest, OtherRulesAreRecordedAheadOfTheirOffset) {
  SetCommitted(15, {3, 4, kOtherRules});
  loader_.on_record = [this] { EXPECT_TRUE(offsets_.commits.empty()); };
  ASSERT_TRUE(Restore().ok());
  EXPECT_EQ(loader_.recorded, 1U);
  EXPECT_EQ(offsets_.commits.size(), 1U);
}

TEST_F(RestoreOutcomesTest, APartitionTakenAwayWhileRulesAreWrittenIsNotSetBack) {
  SetCommitted(15, {3, 4, kOtherRules});
  const LeasePtr taken = MakeLease();
  loader_.on_record = [&taken] { taken->Lapse(); };
  ASSERT_TRUE(Restore({taken}).ok());
  EXPECT_EQ(offsets_.commits.size(), 1U) << "that of the partition that is still ours";
}

TEST_F(RestoreOutcomesTest, TheLastRecordIsLookedAtAgain) {
  OffsetMetadata metadata = {0, 0, kRules};
  metadata.last = {14, 1'700'000'000'000, 0xAB};
  SetCommitted(15, metadata);
  records_.mark = metadata.last;
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(records_.asked, 1U);
  EXPECT_EQ(position->last, metadata.last);
}

TEST_F(RestoreOutcomesTest, AnotherRecordInThePlaceOfTheLastStops) {
  OffsetMetadata metadata = {0, 0, kRules};
  metadata.last = {14, 1'700'000'000'000, 0xAB};
  SetCommitted(15, metadata);
  records_.mark = RecordMark{14, 1'700'000'000'000, 0xAC};
  EXPECT_THAT(Refusal(), HasSubstr("source_changed"));
}

TEST_F(RestoreOutcomesTest, ARecordThatIsGoneStops) {
  OffsetMetadata metadata = {0, 0, kRules};
  metadata.last = {14, 1'700'000'000'000, 0xAB};
  SetCommitted(15, metadata);
  records_.mark = std::nullopt;
  EXPECT_THAT(Refusal(), HasSubstr("no longer there"));
}

TEST_F(RestoreOutcomesTest, MetadataOfAnotherProgramMeansReplayFromTheLogStart) {
  offsets_.committed = {15, "set by hand"};
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->replay_from, 0);
  EXPECT_EQ(position->alert_from, 15);
  EXPECT_EQ(records_.asked, 0U);
  EXPECT_TRUE(loader_.requests[0].assumed);
  ASSERT_EQ(offsets_.commits.size(), 1U) << "recorded before the first record";
  EXPECT_EQ(offsets_.commits[0].offset, 15);
  EXPECT_EQ(offsets_.commits[0].metadata, FormatOffsetMetadata({0, 15, kRules}));
  EXPECT_EQ(probe_.activations.value(), 0U);
}

/// So much that the mock cluster's retention (5 MiB) removes the first records.
class StateGapTest : public RestoreOutcomesTest {
 protected:
  StateGapTest() {
    AppendLarge();
    SetCommitted(95, {0, 0, kRules});
  }
  /// More than retention keeps.
  void AppendLarge() {
    std::vector<TopicRecord> large(80, TopicRecord{.key = "k", .value = std::string(100'000, 'v')});
    for (TopicRecord& record : large) {
      std::vector<TopicRecord> one = {record};  // retention goes by batches
      kafka_.Append(kTopic, one);
    }
  }
};

TEST_F(StateGapTest, StopsWithASentenceThatNamesTheWaysOn) {
  const std::string refusal = Refusal();
  EXPECT_THAT(refusal, HasSubstr("state_gap: the state has to be rebuilt from offset 0"));
  EXPECT_THAT(refusal, HasSubstr("state.state_gap: degrade"));
  EXPECT_THAT(refusal, HasSubstr("caracal offsets set --to committed --reset-state"));
}

TEST_F(StateGapTest, GoesOnWithWhatIsLeftWhenConfigured) {
  options_.degrade_on_state_gap = true;
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_TRUE(position->state_gap);
  EXPECT_GT(position->replay_from, 0);
  EXPECT_EQ(position->activation, 0);
}

TEST_F(StateGapTest, CopiesThatTheLogReachesLeaveNoGap) {
  SetCopies(94, 95);
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_FALSE(position->state_gap);
  EXPECT_EQ(position->replay_from, 94);
}

TEST_F(StateGapTest, AnExpiredOffsetStops) {
  SetCommitted(5, {0, 0, kRules});
  EXPECT_THAT(Refusal(), HasSubstr("has expired"));
}

TEST_F(StateGapTest, ALastRecordThatRetentionHasTakenIsNotLookedFor) {
  OffsetMetadata metadata = {95, 95, kRules};
  metadata.last = {3, 1, 1};
  SetCommitted(95, metadata);
  EXPECT_TRUE(Restore().ok());
  EXPECT_EQ(records_.asked, 0U);
}

TEST_F(StateGapTest, ALastRecordThatRetentionTakesMeanwhileIsNoChangeOfTheSource) {
  OffsetMetadata metadata = {95, 95, kRules};
  metadata.last = {94, 1'700'000'000'000, 0xAB};
  SetCommitted(95, metadata);
  records_.on_read = [this] { AppendLarge(); };
  // The committed offset itself has expired with it: that is what is said.
  EXPECT_THAT(Refusal(), HasSubstr("has expired"));
  EXPECT_EQ(records_.asked, 1U);
}

TEST_F(RestoreOutcomesTest, MoreActivationsThanCanBeRecordedStop) {
  std::vector<Activation> activations;
  for (int64_t i = 0; i < static_cast<int64_t>(OffsetMetadata::kActivationsMax); ++i) {
    activations.push_back({i, kOtherRules});
  }
  // The log is shorter than that: offsets of one partition, as far as it goes.
  activations.resize(OffsetMetadata::kActivationsMax);
  std::vector<TopicRecord> more(100, TopicRecord{.key = "k", .value = "v"});
  kafka_.Append(kTopic, more);
  SetCommitted(110, MetadataOf(activations, 0));
  EXPECT_THAT(Refusal(), HasSubstr("more than can be recorded"));
  SetCopies(100, 90);
  const auto position = Restore();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->activations.size(), 2U) << "every copy lies beyond the others";
}

}  // namespace
}  // namespace caracal::pipeline
