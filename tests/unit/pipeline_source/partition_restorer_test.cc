#include "pipeline/source/partition_restorer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "pipeline/types/offset_metadata.h"
#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

constexpr int32_t kCoordinator = MockKafka::kGroupBroker;
constexpr int32_t kLeader = MockKafka::kSourceBroker;
const std::string kRules = "9c1e4d20a7b3";

/// Keeps what is committed; answers with what the test wants first.
class FakeOffsets : public OffsetStore {
 public:
  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override {
    absl::MutexLock lock(&mutex_);
    if (!answers_.empty()) {
      const OffsetCommitResult answer = answers_.back();
      answers_.pop_back();
      return answer;
    }
    commits_.insert(commits_.end(), offsets.begin(), offsets.end());
    return {};
  }
  void AnswerFirst(OffsetCommitResult answer) {
    absl::MutexLock lock(&mutex_);
    answers_.push_back(std::move(answer));
  }
  std::vector<OffsetCommit> commits() const {
    absl::MutexLock lock(&mutex_);
    return commits_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<OffsetCommitResult> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<OffsetCommit> commits_ ABSL_GUARDED_BY(mutex_);
};

class PartitionRestorerTest : public ::testing::Test {
 protected:
  PartitionRestorerTest() { kafka_.CreateTopic("t", 3); }

  void Fill(int32_t partition, int count, size_t bytes = 1) {
    std::vector<TopicRecord> records(static_cast<size_t>(count));
    for (TopicRecord& record : records) {
      record.partition = partition;
      record.value.resize(bytes, 'x');
    }
    kafka_.Append("t", records);
  }
  /// Makes the mock drop the start of the partition: it keeps 5 MiB. Returns the end of the log.
  int64_t FillBeyondRetention(int32_t partition) {
    constexpr int kRecords = 120;
    for (int i = 0; i < kRecords; ++i) Fill(partition, 1, 64 * 1024);
    return kRecords;
  }
  void Commit(int32_t partition, int64_t offset, const std::string& metadata) {
    kafka_.Commit(MockKafka::kGroup, "t", partition, {offset, metadata});
  }
  static std::string Metadata(int64_t activation, int64_t alert_from) {
    return FormatOffsetMetadata({activation, alert_from, kRules});
  }

  LeasePtr Lease(int32_t partition) {
    return std::make_shared<PartitionLease>(++leases_, 0, "t", partition,
                                            static_cast<uint32_t>(partition));
  }
  void Submit(std::vector<LeasePtr> leases) {
    if (restorer_ == nullptr) {
      options_.rules = kRules;
      if (options_.topics.empty())
        options_.topics.push_back({.name = "t", .from = {}, .alert_from = {}});
      restorer_ = std::make_unique<PartitionRestorer>(client_.get(), offsets_, options_, [this] {
        absl::MutexLock lock(&mutex_);
        ready_ += 1;
      });
      restorer_->Start();
    }
    restorer_->Submit(std::move(leases));
  }
  /// The next `count` finished partitions, by partition.
  std::vector<RestoredPartition> Await(int count) {
    {
      absl::MutexLock lock(&mutex_);
      const auto enough = [this, count]()
                              ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return ready_ >= count; };
      EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30)));
      ready_ -= count;
    }
    std::vector<RestoredPartition> finished = restorer_->Take();
    std::sort(finished.begin(), finished.end(), [](const auto& a, const auto& b) {
      return a.lease->partition() < b.lease->partition();
    });
    return finished;
  }
  /// Until the coordinator has seen the requests a test has prepared answers for.
  void AwaitFaultsUsed() {
    const absl::Notification never;
    while (kafka_.FaultsLeft(kCoordinator, KafkaRequest::kOffsetFetch) > 0) {
      never.WaitForNotificationWithTimeout(absl::Milliseconds(2));
    }
  }
  absl::StatusOr<StartPosition> Restore(int32_t partition) {
    Submit({Lease(partition)});
    std::vector<RestoredPartition> finished = Await(1);
    if (finished.size() != 1) return absl::InternalError("not one partition");
    return finished[0].position;
  }

  MockKafka kafka_;
  KafkaClient client_ = PlainConsumer(kafka_);
  FakeOffsets offsets_;
  SourceOptions options_;
  uint64_t leases_ = 0;
  absl::Mutex mutex_;
  int ready_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<PartitionRestorer> restorer_;
};

TEST_F(PartitionRestorerTest, AFreshPartitionIsAskedForThreeTimesAndCommittedFirst) {
  Fill(0, 5);
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetFetch,
                  std::vector(9, RD_KAFKA_RESP_ERR_NO_ERROR));
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->activation, 0);
  EXPECT_EQ(position->replay_from, 0);
  EXPECT_EQ(position->committed, 0);
  EXPECT_EQ(position->alert_from, 0);
  EXPECT_EQ(kafka_.FaultsLeft(kCoordinator, KafkaRequest::kOffsetFetch), 6U) << "three reads";
  const std::vector<OffsetCommit> commits = offsets_.commits();
  ASSERT_EQ(commits.size(), 1U);
  EXPECT_EQ(commits[0].offset, 0);
  EXPECT_EQ(commits[0].metadata, Metadata(0, 0));
}

TEST_F(PartitionRestorerTest, AnAnswerOfNoneIsNotBelievedOnce) {
  Fill(0, 10);
  // The first answer is on its way when the offset is committed after all.
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetFetch, {RD_KAFKA_RESP_ERR_NO_ERROR},
                  /*delay_ms=*/500);
  Submit({Lease(0)});
  AwaitFaultsUsed();
  Commit(0, 7, Metadata(2, 3));
  const std::vector<RestoredPartition> finished = Await(1);
  ASSERT_EQ(finished.size(), 1U);
  ASSERT_TRUE(finished[0].position.ok()) << finished[0].position.status();
  EXPECT_EQ(finished[0].position->committed, 7);
  EXPECT_EQ(finished[0].position->replay_from, 2);
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
  Fill(0, 10);
  Commit(0, 7, Metadata(0, 0));
  kafka_.FailNext(
      kCoordinator, KafkaRequest::kOffsetFetch,
      {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
       RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, RD_KAFKA_RESP_ERR__TRANSPORT});
  kafka_.FailNext(
      kLeader, KafkaRequest::kListOffsets,
      {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
       RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE});
  const auto position = Restore(0);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->committed, 7);
  EXPECT_EQ(kafka_.FaultsLeft(kCoordinator, KafkaRequest::kOffsetFetch), 0U);
  EXPECT_EQ(kafka_.FaultsLeft(kLeader, KafkaRequest::kListOffsets), 0U);
  EXPECT_TRUE(offsets_.commits().empty());
}

TEST_F(PartitionRestorerTest, AMissingPermissionIsFinal) {
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetFetch,
                  {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED});
  const auto position = Restore(0);
  EXPECT_TRUE(absl::IsPermissionDenied(position.status())) << position.status();
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
  options_.topics.push_back({.name = "t",
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
  options_.topics.push_back({.name = "t",
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
  EXPECT_NE(position.status().message().find("--to-earliest"), std::string::npos);
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

TEST_F(PartitionRestorerTest, ALeaseThatHasLapsedIsDropped) {
  Fill(0, 3);
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetFetch, {RD_KAFKA_RESP_ERR_NO_ERROR},
                  /*delay_ms=*/300);
  const LeasePtr lapsing = Lease(0);
  Submit({lapsing, Lease(1)});
  AwaitFaultsUsed();
  lapsing->Lapse();
  const std::vector<RestoredPartition> finished = Await(1);
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].lease->partition(), 1);
  ASSERT_EQ(offsets_.commits().size(), 1U);
  EXPECT_EQ(offsets_.commits()[0].partition, 1);
}

TEST_F(PartitionRestorerTest, StopsWithinOneRequestHoweverManyPartitionsAreLeft) {
  Submit({Lease(0)});
  Await(1);  // the client knows the brokers
  kafka_.SetDown(kLeader);
  std::vector<LeasePtr> leases;
  for (int i = 0; i < 30; ++i) leases.push_back(Lease(i % 3));
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetFetch,
                  std::vector(3, RD_KAFKA_RESP_ERR_NO_ERROR));
  Submit(std::move(leases));
  AwaitFaultsUsed();
  const absl::Time start = absl::Now();
  restorer_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(12)) << "a request lasts five seconds at most";
  kafka_.SetUp(kLeader);
}

}  // namespace
}  // namespace caracal::pipeline
