#include "pipeline/source/partition_restorer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "pipeline/base/mutex.h"
#include "pipeline/types/offset_metadata.h"
#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

constexpr int32_t kLeader = MockKafka::kSourceBroker;
constexpr uint32_t kBuckets = 4;
const std::string kRules = "9c1e4d20a7b3";

/// The group's offsets: what has been committed is what is read. Answers as a test wants first.
class FakeOffsets : public OffsetStore {
 public:
  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override {
    MutexLock lock(&mutex_);
    if (!answers_.empty() && !offsets.empty()) {
      const OffsetCommitResult answer = answers_.back();
      answers_.pop_back();
      return answer;
    }
    for (const OffsetCommit& commit : offsets) {
      commits_.push_back(commit);
      group_[commit.partition] = {commit.offset, commit.metadata};
    }
    return {};
  }
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                         absl::Duration /*max_wait*/) override {
    MutexLock lock(&mutex_);
    reads_ += 1;
    mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return reads_ != held_; });
    if (!failures_.empty()) {
      absl::Status failure = failures_.back();
      failures_.pop_back();
      return failure;
    }
    std::vector<CommittedOffset> committed;
    for (const LeasePtr& lease : leases) {
      if (hanging_.contains(lease->partition())) return absl::UnavailableError("not stable");
    }
    for (const LeasePtr& lease : leases) committed.push_back(group_[lease->partition()]);
    if (reads_ == blind_) return std::vector<CommittedOffset>(leases.size());
    return committed;
  }

  /// Another member, or an operator, has committed.
  void Set(int32_t partition, int64_t offset, const std::string& metadata) {
    MutexLock lock(&mutex_);
    group_[partition] = {offset, metadata};
  }
  /// The next commits are answered so, the last one first.
  void AnswerFirst(OffsetCommitResult answer) {
    MutexLock lock(&mutex_);
    answers_.push_back(std::move(answer));
  }
  /// The next read fails so.
  void FailFirst(absl::Status failure) {
    MutexLock lock(&mutex_);
    failures_.push_back(std::move(failure));
  }
  /// The n-th read (from 1) finds nothing, whatever is committed.
  void BlindRead(int nth) {
    MutexLock lock(&mutex_);
    blind_ = nth;
  }
  /// The n-th read does not return before LetGo.
  void HoldRead(int nth) {
    MutexLock lock(&mutex_);
    held_ = nth;
  }
  void LetGo() { HoldRead(0); }
  /// A transaction on these offsets stays open.
  void Hang(std::set<int32_t> partitions) {
    MutexLock lock(&mutex_);
    hanging_ = std::move(partitions);
  }
  void AwaitRead(int nth) {
    MutexLock lock(&mutex_);
    mutex_.Await([this, nth]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return reads_ >= nth; });
  }

  std::vector<OffsetCommit> commits() const {
    MutexLock lock(&mutex_);
    return commits_;
  }
  int reads() const {
    MutexLock lock(&mutex_);
    return reads_;
  }

 private:
  mutable Mutex mutex_;
  std::map<int32_t, CommittedOffset> group_ ABSL_GUARDED_BY(mutex_);
  std::vector<OffsetCommitResult> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::vector<OffsetCommit> commits_ ABSL_GUARDED_BY(mutex_);
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;
  int blind_ ABSL_GUARDED_BY(mutex_) = 0;
  int held_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<int32_t> hanging_ ABSL_GUARDED_BY(mutex_);
};

/// The state topic: copies of buckets with these offsets, by partition.
class FakeSnapshots : public SnapshotLoader {
 public:
  absl::StatusOr<std::vector<LoadedState>> Load(std::span<const RestoreRequest> requests,
                                                OffsetStore& /*offsets*/) override {
    MutexLock lock(&mutex_);
    if (!failures_.empty()) {
      absl::Status failure = failures_.back();
      failures_.pop_back();
      return failure;
    }
    for (const RestoreRequest& request : requests) {
      if (request.lease->partition() == leaderless_) return absl::UnavailableError("no leader");
    }
    std::vector<LoadedState> states;
    for (const RestoreRequest& request : requests) {
      LoadedState state;
      auto buckets = std::make_shared<RestoredState>();
      for (const RestoredBucket& copy : copies_[request.lease->partition()]) {
        if (copy.offset <= request.committed) buckets->push_back(copy);
        state.newest = std::max(state.newest, copy.offset);
      }
      state.buckets = std::move(buckets);
      if (!request.activations.empty()) state.base = request.activations.front().offset;
      states.push_back(std::move(state));
    }
    return states;
  }
  absl::Status RecordRules(std::span<const LeasePtr> /*leases*/) override {
    return absl::OkStatus();
  }
  void Stop() override {}

  void Set(int32_t partition, const std::vector<int64_t>& offsets) {
    MutexLock lock(&mutex_);
    uint32_t bucket = 0;
    for (const int64_t offset : offsets) {
      copies_[partition].push_back({bucket++, offset, nullptr});
    }
  }
  void FailFirst(absl::Status failure) {
    MutexLock lock(&mutex_);
    failures_.push_back(std::move(failure));
  }
  /// This partition of the state topic has no leader; -1 = all have one.
  void TakeLeader(int32_t partition) {
    MutexLock lock(&mutex_);
    leaderless_ = partition;
  }

 private:
  Mutex mutex_;
  int32_t leaderless_ ABSL_GUARDED_BY(mutex_) = -1;
  std::map<int32_t, RestoredState> copies_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
};

/// No test here has committed a mark of a record.
class NoRecords : public RecordReader {
 public:
  absl::StatusOr<std::vector<std::optional<RecordMark>>> Read(
      std::span<const RecordPlace> places) override {
    return std::vector<std::optional<RecordMark>>(places.size());
  }
  void Stop() override {}
};

/// One cluster and one client for all tests, because a client takes a second to go; a topic for
/// each.
class PartitionRestorerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_kafka_ = std::make_unique<MockKafka>();
    client_ = PlainConsumer(*shared_kafka_);
  }
  static void TearDownTestSuite() {
    client_.reset();
    shared_kafka_.reset();
  }
  PartitionRestorerTest() { kafka_.CreateTopic(topic_, 3); }

  void Fill(int32_t partition, int count, size_t bytes = 1) {
    std::vector<TopicRecord> records(static_cast<size_t>(count));
    for (TopicRecord& record : records) {
      record.partition = partition;
      record.value.resize(bytes, 'x');
    }
    kafka_.Append(topic_, records);
  }
  /// Makes the mock drop the start of the partition: it keeps 5 MiB. Returns the end of the log.
  int64_t FillBeyondRetention(int32_t partition) {
    constexpr int kRecords = 120;
    for (int i = 0; i < kRecords; ++i) Fill(partition, 1, 64 * 1024);
    return kRecords;
  }
  void Commit(int32_t partition, int64_t offset, const std::string& metadata) {
    offsets_.Set(partition, offset, metadata);
  }
  static std::string Metadata(int64_t activation, int64_t alert_from) {
    return FormatOffsetMetadata({activation, alert_from, kRules});
  }

  LeasePtr Lease(int32_t partition) {
    return std::make_shared<PartitionLease>(++leases_, 0, topic_, partition,
                                            static_cast<uint32_t>(partition));
  }
  void Submit(std::vector<LeasePtr> leases) {
    if (restorer_ == nullptr) {
      options_.buckets = kBuckets;
      if (options_.topics.empty()) options_.topics.push_back({.name = topic_});
      options_.topics[0].rules = kRules;
      restorer_ = std::make_unique<PartitionRestorer>(client_.get(), offsets_, records_,
                                                      with_snapshots_ ? &snapshots_ : nullptr,
                                                      options_, probe_, [this] {
                                                        MutexLock lock(&mutex_);
                                                        ready_ += 1;
                                                      });
      restorer_->Start();
    }
    restorer_->Submit(std::move(leases));
  }
  /// The next `count` finished partitions, by partition.
  std::vector<RestoredPartition> Await(int count) {
    {
      MutexLock lock(&mutex_);
      const bool enough = mutex_.AwaitFor(
          absl::Seconds(60),
          [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ready_ >= count; });
      EXPECT_TRUE(enough) << ready_ << " of " << count;
      ready_ -= count;
    }
    std::vector<RestoredPartition> finished = restorer_->Take();
    std::sort(finished.begin(), finished.end(), [](const auto& a, const auto& b) {
      return a.lease->partition() < b.lease->partition();
    });
    return finished;
  }
  absl::StatusOr<StartPosition> Restore(int32_t partition) {
    Submit({Lease(partition)});
    std::vector<RestoredPartition> finished = Await(1);
    if (finished.size() != 1) return absl::InternalError("not one partition");
    return finished[0].position;
  }

  static inline std::unique_ptr<MockKafka> shared_kafka_;
  static inline KafkaClient client_;

  MockKafka& kafka_ = *shared_kafka_;
  const std::string topic_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  FakeOffsets offsets_;
  NoRecords records_;
  FakeSnapshots snapshots_;
  RestorerProbe probe_;
  bool with_snapshots_ = false;
  SourceOptions options_;
  uint64_t leases_ = 0;
  Mutex mutex_;
  int ready_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<PartitionRestorer> restorer_;
};

TEST_F(PartitionRestorerTest, AFreshPartitionIsAskedForThreeTimesAndCommittedFirst) {
  Fill(0, 5);
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->activation, 0);
  EXPECT_EQ(position->replay_from, 0);
  EXPECT_EQ(position->committed, 0);
  EXPECT_EQ(position->alert_from, 0);
  EXPECT_EQ(offsets_.reads(), 3);
  const std::vector<OffsetCommit> commits = offsets_.commits();
  ASSERT_EQ(commits.size(), 1U);
  EXPECT_EQ(commits[0].offset, 0);
  EXPECT_EQ(commits[0].metadata, Metadata(0, 0));
}

TEST_F(PartitionRestorerTest, AnAnswerOfNoneIsNotBelievedOnce) {
  Fill(0, 10);
  Commit(0, 7, Metadata(2, 3));
  offsets_.BlindRead(1);
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(offsets_.reads(), 2);
  EXPECT_EQ(position->committed, 7);
  EXPECT_EQ(position->replay_from, 2);
  EXPECT_TRUE(offsets_.commits().empty()) << "it was taken as fresh";
}

TEST_F(PartitionRestorerTest, ContinuesFromTheCommittedOffsetAndReplaysFromTheActivation) {
  Fill(0, 10);
  Commit(0, 7, Metadata(2, 4));
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->activation, 2);
  EXPECT_EQ(position->replay_from, 2);
  EXPECT_EQ(position->committed, 7);
  EXPECT_EQ(position->alert_from, 4);
  EXPECT_FALSE(position->state_gap);
  EXPECT_TRUE(offsets_.commits().empty());
}

TEST_F(PartitionRestorerTest, ErrorsThatMayPassAreNeverTakenForAnAnswer) {
  with_snapshots_ = true;
  Fill(0, 10);
  Commit(0, 7, Metadata(0, 0));
  offsets_.FailFirst(absl::UnavailableError("the coordinator loads"));
  snapshots_.FailFirst(absl::UnavailableError("the state topic has no leader"));
  kafka_.FailNext(
      kLeader, KafkaRequest::kListOffsets,
      {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
       RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE});
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->committed, 7);
  EXPECT_GT(offsets_.reads(), 1);
  EXPECT_EQ(kafka_.FaultsLeft(kLeader, KafkaRequest::kListOffsets), 0U);
  EXPECT_TRUE(offsets_.commits().empty());
}

TEST_F(PartitionRestorerTest, AMissingPermissionIsFinal) {
  offsets_.FailFirst(absl::PermissionDeniedError("no right to read the group"));
  EXPECT_TRUE(absl::IsPermissionDenied(Restore(0).status()));
  EXPECT_EQ(offsets_.reads(), 1);
}

TEST_F(PartitionRestorerTest, AFirstCommitThatIsWithheldIsTriedAgain) {
  Fill(0, 3);
  offsets_.AnswerFirst({OffsetCommitOutcome::kTransient, "later"});
  offsets_.AnswerFirst({OffsetCommitOutcome::kRebalancing, "the group is rebalancing"});
  EXPECT_TRUE(Restore(0).ok());
  EXPECT_EQ(offsets_.commits().size(), 1U);
}

TEST_F(PartitionRestorerTest, AFirstCommitThatIsRefusedIsFinal) {
  offsets_.AnswerFirst({OffsetCommitOutcome::kFatal, "no right to commit"});
  const auto position = Restore(0);
  EXPECT_EQ(position.status().message(), "no right to commit");
}

TEST_F(PartitionRestorerTest, TheStartPolicyActsOnFreshPartitionsOnly) {
  options_.topics.push_back({.name = topic_,
                             .from = {StartPoint::Kind::kLatest, 0},
                             .alert_from = {StartPoint::Kind::kEarliest, 0}});
  Fill(0, 10);
  Fill(1, 10);
  Commit(1, 4, Metadata(1, 2));
  Submit({Lease(0), Lease(1)});
  const std::vector<RestoredPartition> finished = Await(2);
  ASSERT_EQ(finished.size(), 2U);
  ASSERT_TRUE(finished[0].position.ok() && finished[1].position.ok());
  EXPECT_EQ(finished[0].position->committed, 10);
  EXPECT_EQ(finished[0].position->alert_from, 10) << "never before the activation";
  EXPECT_EQ(finished[1].position->committed, 4);
  EXPECT_EQ(finished[1].position->replay_from, 1);
}

TEST_F(PartitionRestorerTest, ATimeBehindTheLastRecordIsTheEndOfTheLog) {
  // The mock answers every time with "none is that new".
  options_.topics.push_back({.name = topic_,
                             .from = {StartPoint::Kind::kEarliest, 0},
                             .alert_from = {StartPoint::Kind::kTime, 1'900'000'000'000}});
  Fill(0, 10);
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->activation, 0);
  EXPECT_EQ(position->alert_from, 10);
  EXPECT_EQ(offsets_.commits().at(0).metadata, Metadata(0, 10));
}

TEST_F(PartitionRestorerTest, AnOffsetThatHasExpiredIsFinalAndSaysWhatWasLost) {
  const int64_t end = FillBeyondRetention(0);
  Commit(0, 1, Metadata(0, 0));
  const auto position = Restore(0);
  ASSERT_TRUE(absl::IsOutOfRange(position.status())) << position.status();
  EXPECT_NE(position.status().message().find("the committed offset 1 has expired"),
            std::string::npos)
      << position.status();
  EXPECT_NE(position.status().message().find("offsets set --to beginning"), std::string::npos);
  EXPECT_GT(end, 1);
}

TEST_F(PartitionRestorerTest, AnOffsetBeyondTheEndIsFinal) {
  Fill(0, 3);
  Commit(0, 9, Metadata(0, 0));
  const auto position = Restore(0);
  ASSERT_TRUE(absl::IsOutOfRange(position.status())) << position.status();
  EXPECT_NE(position.status().message().find("9 lies beyond the end of the log (3)"),
            std::string::npos)
      << position.status();
}

TEST_F(PartitionRestorerTest, AnActivationThatRetentionHasPassedIsAStateGap) {
  options_.degrade_on_state_gap = true;
  const int64_t end = FillBeyondRetention(0);
  Commit(0, end, Metadata(0, 0));
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_TRUE(position->state_gap);
  EXPECT_EQ(position->activation, 0);
  EXPECT_GT(position->replay_from, 0);
  EXPECT_LT(position->replay_from, end);
  EXPECT_EQ(position->committed, end);
}

TEST_F(PartitionRestorerTest, AnOffsetOfAnotherProgramIsKeptAndAllThatIsLeftReplayed) {
  Fill(0, 10);
  Commit(0, 6, "somebody else's");
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->replay_from, 0);
  EXPECT_EQ(position->committed, 6);
  EXPECT_EQ(position->alert_from, 6);
  EXPECT_FALSE(position->state_gap);
}

TEST_F(PartitionRestorerTest, ReplaysFromTheOldestCopyOfABucket) {
  with_snapshots_ = true;
  Fill(0, 20);
  Commit(0, 17, Metadata(2, 4));
  snapshots_.Set(0, {12, 9, 17, 15});
  Submit({Lease(0)});
  const std::vector<RestoredPartition> finished = Await(1);
  ASSERT_EQ(finished.size(), 1U);
  ASSERT_TRUE(finished[0].position.ok()) << finished[0].position.status();
  EXPECT_EQ(finished[0].position->activation, 2);
  EXPECT_EQ(finished[0].position->replay_from, 9);
  EXPECT_EQ(finished[0].position->committed, 17);
  ASSERT_NE(finished[0].state, nullptr);
  EXPECT_EQ(finished[0].state->size(), kBuckets);
}

TEST_F(PartitionRestorerTest, ABucketWithoutACopyIsReplayedFromTheActivation) {
  with_snapshots_ = true;
  Fill(0, 20);
  Commit(0, 17, Metadata(2, 4));
  snapshots_.Set(0, {12, 9, 18, 15});  // the third is ahead of the committed offset
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->replay_from, 2);
}

TEST_F(PartitionRestorerTest, StateWithoutACommittedOffsetIsFinal) {
  with_snapshots_ = true;
  Fill(0, 20);
  snapshots_.Set(0, {12});
  const auto position = Restore(0);
  ASSERT_TRUE(absl::IsFailedPrecondition(position.status())) << position.status();
  EXPECT_NE(position.status().message().find("the group has no committed offset"),
            std::string::npos)
      << position.status();
  EXPECT_TRUE(offsets_.commits().empty());
}

TEST_F(PartitionRestorerTest, AHangingTransactionHoldsUpNoOtherPartition) {
  for (int32_t partition = 0; partition < 3; ++partition) Commit(partition, 0, Metadata(0, 0));
  offsets_.Hang({0});
  Submit({Lease(0), Lease(1)});
  const std::vector<RestoredPartition> together = Await(1);
  ASSERT_EQ(together.size(), 1U);
  EXPECT_EQ(together[0].lease->partition(), 1);
  Submit({Lease(2)});
  const std::vector<RestoredPartition> later = Await(1);
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(later[0].lease->partition(), 2);
  ASSERT_EQ(restorer_->Restoring().size(), 1U);
  EXPECT_EQ(restorer_->Restoring()[0]->partition(), 0);
  offsets_.Hang({});
  const std::vector<RestoredPartition> ended = Await(1);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].lease->partition(), 0);
  EXPECT_TRUE(ended[0].position.ok()) << ended[0].position.status();
  EXPECT_TRUE(restorer_->Restoring().empty());
}

TEST_F(PartitionRestorerTest, StateThatCannotBeReadHoldsUpNoOtherPartition) {
  with_snapshots_ = true;
  for (int32_t partition = 0; partition < 3; ++partition) Commit(partition, 0, Metadata(0, 0));
  snapshots_.TakeLeader(1);
  Submit({Lease(0), Lease(1), Lease(2)});
  const std::vector<RestoredPartition> finished = Await(2);
  ASSERT_EQ(finished.size(), 2U);
  EXPECT_EQ(finished[0].lease->partition(), 0);
  EXPECT_EQ(finished[1].lease->partition(), 2);
  snapshots_.TakeLeader(-1);
  EXPECT_EQ(Await(1).size(), 1U);
}

TEST_F(PartitionRestorerTest, ACommitThatStaysWithheldHoldsUpNoOtherPartition) {
  Commit(0, 0, Metadata(0, 0));
  offsets_.Hang({0});
  for (int i = 0; i < 10'000; ++i) offsets_.AnswerFirst({OffsetCommitOutcome::kTransient, "later"});
  Submit({Lease(0)});
  offsets_.AwaitRead(2);
  Submit({Lease(1)});
  offsets_.AwaitRead(10);
  offsets_.Hang({});
  const std::vector<RestoredPartition> finished = Await(1);
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].lease->partition(), 0);
}

TEST_F(PartitionRestorerTest, MoreThanAreLocatedTogetherAreAllLocated) {
  for (int32_t partition = 0; partition < 3; ++partition) Commit(partition, 0, Metadata(0, 0));
  std::vector<LeasePtr> leases;
  const auto count = static_cast<int32_t>(2 * PartitionRestorer::kTogetherMax + 1);
  for (int32_t i = 0; i < count; ++i) leases.push_back(Lease(i % 3));
  Submit(std::move(leases));
  EXPECT_EQ(Await(count).size(), static_cast<size_t>(count));
}

TEST_F(PartitionRestorerTest, ALeaseThatHasLapsedIsDropped) {
  Fill(0, 3);
  Commit(0, 1, Metadata(0, 0));
  Commit(1, 0, Metadata(0, 0));
  offsets_.HoldRead(1);
  const LeasePtr lapsing = Lease(0);
  Submit({lapsing, Lease(1)});
  offsets_.AwaitRead(1);
  lapsing->Lapse();
  offsets_.LetGo();
  const std::vector<RestoredPartition> finished = Await(1);
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].lease->partition(), 1);
}

TEST_F(PartitionRestorerTest, NothingIsTriedAgainForALeaseThatHasLapsed) {
  offsets_.FailFirst(absl::UnavailableError("later"));
  offsets_.HoldRead(1);
  const LeasePtr lapsing = Lease(0);
  Submit({lapsing});
  offsets_.AwaitRead(1);
  lapsing->Lapse();
  offsets_.LetGo();
  Commit(1, 0, Metadata(0, 0));
  Submit({Lease(1)});
  EXPECT_EQ(Await(1).size(), 1U);
  EXPECT_EQ(offsets_.reads(), 2) << "one per lease";
}

TEST_F(PartitionRestorerTest, StopsWithinOneRequestHoweverManyPartitionsAreLeft) {
  Submit({Lease(0)});
  Await(1);  // the client knows the brokers
  kafka_.SetDown(kLeader);
  std::vector<LeasePtr> leases;
  for (int i = 0; i < 30; ++i) leases.push_back(Lease(i % 3));
  const int reads = offsets_.reads();
  Submit(std::move(leases));
  offsets_.AwaitRead(reads + 1);
  const absl::Time start = absl::Now();
  restorer_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(25)) << "a request lasts five seconds at most";
  kafka_.SetUp(kLeader);
}

}  // namespace
}  // namespace caracal::pipeline
