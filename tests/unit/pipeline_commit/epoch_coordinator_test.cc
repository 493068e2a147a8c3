#include "pipeline/commit/epoch_coordinator.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "pipeline/commit/commit_thread.h"
#include "tests/support/fake_committer.h"
#include "tests/support/fake_source.h"
#include "tests/support/manual_clock.h"

namespace caracal::pipeline {
namespace {

class EpochCoordinatorTest : public ::testing::Test {
 protected:
  EpochCoordinatorTest() {
    commits_.Start();
    coordinator_ = Make({.workers = 1});
    lease_ = Open(0, 10);
  }

  std::unique_ptr<EpochCoordinator> Make(EpochOptions options) {
    return std::make_unique<EpochCoordinator>(std::move(options), source_, commits_, clock_);
  }

  LeasePtr Open(int32_t partition, int64_t committed) {
    const StartPosition position = {
        .replay_from = 0, .committed = committed, .alert_from = 3, .activation = 2, .rules = "r1"};
    LeasePtr lease = source_.Assign(partition, position);
    coordinator_->OpenPartition(lease, position);
    return lease;
  }

  OutputRecord Output(const LeasePtr& lease, int64_t offset, uint32_t sequence = 0) {
    OutputRecord output;
    output.lease = lease;
    output.offset = offset;
    output.sequence = sequence;
    return output;
  }

  // Closes, hands an empty or given share over, and serves until the epoch is committed.
  void CommitEpoch(std::vector<OutputRecord> outputs = {}) {
    EpochShare share;
    share.epoch = coordinator_->Close();
    share.outputs = std::move(outputs);
    coordinator_->AddShare(std::move(share));
    ServeUntilSettled();
  }

  void ServeUntilSettled() {
    while (coordinator_->Committing()) ASSERT_TRUE(coordinator_->Serve().ok());
  }

  FakeSource source_;
  ManualClock clock_;
  FakeCommitter committer_;
  CommitThread commits_{committer_, clock_, [] {}};
  std::unique_ptr<EpochCoordinator> coordinator_;
  LeasePtr lease_;
};

TEST_F(EpochCoordinatorTest, CommitsTheNextOffsetWithItsMetadata) {
  coordinator_->Advance(*lease_, 12, 2);
  CommitEpoch();
  ASSERT_EQ(committer_.epochs().size(), 1U);
  const SealedEpoch epoch = committer_.epochs()[0];
  ASSERT_EQ(epoch.partitions.size(), 1U);
  EXPECT_EQ(epoch.partitions[0].end_offset, 12);
  EXPECT_EQ(epoch.partitions[0].metadata, "caracal/1 activation=2 alert_from=3 rules=r1");
  EXPECT_EQ(epoch.group_metadata, "generation-1");
  EXPECT_EQ(coordinator_->CommittedOffset(*lease_), 12);
  EXPECT_TRUE(coordinator_->Idle());
}

TEST_F(EpochCoordinatorTest, ReplayBelowTheCommittedOffsetCommitsNothing) {
  coordinator_->Advance(*lease_, 10, 10);
  EXPECT_TRUE(coordinator_->Idle());
  clock_.Advance(10'000'000);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
}

TEST_F(EpochCoordinatorTest, AlertsCloseAnEpochAtOnceAndOffsetsAloneAfterTheInterval) {
  coordinator_->Advance(*lease_, 11, 1);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  coordinator_->NoteWorkerOutput(100);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
  EXPECT_FALSE(coordinator_->ShouldClose(/*lagging=*/true)) << "while lagging, commit in bulk";
  coordinator_->NoteWorkerOutput(0);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  clock_.Advance(250'000);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
  EXPECT_TRUE(coordinator_->ShouldClose(true));
}

// Control: without the pause alerts close the next epoch at once (the test above).
TEST_F(EpochCoordinatorTest, AlertsWaitUntilTheBrokerHasEndedTheLastTransaction) {
  coordinator_ = Make({.min_pause_us = 6'000, .workers = 1});
  lease_ = Open(1, 10);
  clock_.Advance(6'000);
  coordinator_->Advance(*lease_, 11, 1);
  coordinator_->NoteWorkerOutput(100);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
  CommitEpoch();
  coordinator_->Advance(*lease_, 12, 1);
  coordinator_->NoteWorkerOutput(100);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  EXPECT_EQ(coordinator_->MicrosUntilDue(), 6'000);
  clock_.Advance(5'999);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  clock_.Advance(1);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
}

// An alert after a pause goes at once; those of a steady flow go together.
TEST_F(EpochCoordinatorTest, AlertsWaitForTheIntervalSinceTheLastClose) {
  coordinator_ = Make({.min_interval_us = 20'000, .workers = 1});
  lease_ = Open(1, 10);
  clock_.Advance(20'000);
  coordinator_->Advance(*lease_, 11, 1);
  coordinator_->NoteWorkerOutput(100);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
  EpochShare share;
  share.epoch = coordinator_->Close();
  clock_.Advance(8'000);  // the commit takes this long: the interval counts from the close
  coordinator_->AddShare(std::move(share));
  ServeUntilSettled();
  coordinator_->Advance(*lease_, 12, 1);
  coordinator_->NoteWorkerOutput(100);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  EXPECT_EQ(coordinator_->MicrosUntilDue(), 12'000);
  clock_.Advance(11'999);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  clock_.Advance(1);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
}

// A full epoch holds the records back: it does not wait.
TEST_F(EpochCoordinatorTest, AFullEpochDoesNotWaitForTheInterval) {
  coordinator_ = Make({.max_records = 5, .min_interval_us = 20'000, .workers = 1});
  lease_ = Open(1, 10);
  coordinator_->Advance(*lease_, 11, 1);
  CommitEpoch();
  coordinator_->Advance(*lease_, 16, 5);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
  EXPECT_TRUE(coordinator_->ShouldClose(/*lagging=*/true));
}

TEST_F(EpochCoordinatorTest, OnlyOneEpochIsOnItsWay) {
  committer_.Cork();
  coordinator_->Advance(*lease_, 11, 1);
  EpochShare share;
  share.epoch = coordinator_->Close();
  coordinator_->AddShare(std::move(share));
  ASSERT_TRUE(coordinator_->Serve().ok());
  coordinator_->Advance(*lease_, 12, 1);
  coordinator_->AddOutput(Output(lease_, 11));
  clock_.Advance(10'000'000);
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  committer_.Uncork();
  ServeUntilSettled();
  clock_.Advance(10'000'000);
  EXPECT_TRUE(coordinator_->ShouldClose(false));
  CommitEpoch();
  EXPECT_EQ(committer_.epochs()[1].partitions[0].end_offset, 12);
  EXPECT_EQ(committer_.epochs()[1].outputs.size(), 1U);
}

TEST_F(EpochCoordinatorTest, IsFullByBytesOrByRecords) {
  coordinator_ = Make({.max_pending_bytes = 1000, .max_records = 5});
  lease_ = Open(1, 0);
  EXPECT_FALSE(coordinator_->Full());
  coordinator_->NoteWorkerOutput(1000);
  EXPECT_TRUE(coordinator_->Full());
  coordinator_->NoteWorkerOutput(0);
  coordinator_->Advance(*lease_, 5, 5);
  EXPECT_TRUE(coordinator_->Full());
  EXPECT_TRUE(coordinator_->ShouldClose(true));
}

// It would never be closed: there is nothing to commit.
TEST_F(EpochCoordinatorTest, IsNotFilledByReplayedRecords) {
  coordinator_ = Make({.max_records = 5});
  lease_ = Open(1, 100);
  coordinator_->Advance(*lease_, 50, 50);
  EXPECT_FALSE(coordinator_->Full());
  EXPECT_FALSE(coordinator_->ShouldClose(false));
  coordinator_->Advance(*lease_, 105, 5);
  EXPECT_TRUE(coordinator_->Full());
  EXPECT_TRUE(coordinator_->ShouldClose(false));
}

TEST_F(EpochCoordinatorTest, OrdersOutputsByPartitionOffsetAndSequence) {
  const LeasePtr other = Open(1, 0);
  coordinator_->Advance(*lease_, 20, 10);
  coordinator_->Advance(*other, 5, 5);
  CommitEpoch({Output(other, 1), Output(lease_, 15, 1), Output(lease_, 15, 0), Output(lease_, 11)});
  const SealedEpoch epoch = committer_.epochs()[0];
  std::vector<std::tuple<int32_t, int64_t, uint32_t>> order;
  for (const OutputRecord& output : epoch.outputs) {
    order.emplace_back(output.lease->partition(), output.offset, output.sequence);
  }
  EXPECT_EQ(order, (std::vector<std::tuple<int32_t, int64_t, uint32_t>>{
                       {0, 11, 0}, {0, 15, 0}, {0, 15, 1}, {1, 1, 0}}));
}

TEST_F(EpochCoordinatorTest, SealingDropsEverythingOfALapsedPartition) {
  const LeasePtr other = Open(1, 0);
  coordinator_->Advance(*lease_, 20, 10);
  coordinator_->Advance(*other, 5, 5);
  EpochShare share;
  share.epoch = coordinator_->Close();
  share.outputs = {Output(lease_, 12), Output(other, 1)};
  EXPECT_TRUE(coordinator_->Contains(lease_));
  source_.Revoke(0);
  coordinator_->ClosePartition(lease_);
  coordinator_->AddShare(std::move(share));
  ServeUntilSettled();
  const SealedEpoch epoch = committer_.epochs()[0];
  ASSERT_EQ(epoch.partitions.size(), 1U);
  EXPECT_EQ(epoch.partitions[0].lease, other);
  ASSERT_EQ(epoch.outputs.size(), 1U);
  EXPECT_EQ(epoch.outputs[0].lease, other);
}

TEST_F(EpochCoordinatorTest, AnEpochWithoutOwnedPartitionsVanishes) {
  coordinator_->Advance(*lease_, 20, 10);
  EpochShare share;
  share.epoch = coordinator_->Close();
  share.outputs = {Output(lease_, 12)};
  source_.Revoke(0);
  coordinator_->ClosePartition(lease_);
  coordinator_->AddShare(std::move(share));
  ServeUntilSettled();
  EXPECT_TRUE(committer_.epochs().empty());
}

TEST_F(EpochCoordinatorTest, ClosingAPartitionDropsItsDeadLettersOfTheOpenEpoch) {
  const LeasePtr other = Open(1, 0);
  coordinator_->Advance(*other, 1, 1);
  coordinator_->Advance(*lease_, 20, 10);
  coordinator_->AddOutput(Output(lease_, 15));
  source_.Revoke(0);
  coordinator_->ClosePartition(lease_);
  CommitEpoch();
  EXPECT_TRUE(committer_.epochs()[0].outputs.empty());
}

TEST_F(EpochCoordinatorTest, SealsAgainWithoutWhatLapsedMeanwhile) {
  const LeasePtr other = Open(1, 0);
  committer_.Cork();
  committer_.Script({CommitOutcome::kReseal, "illegal generation"});
  coordinator_->Advance(*lease_, 20, 10);
  coordinator_->Advance(*other, 5, 5);
  EpochShare share;
  share.epoch = coordinator_->Close();
  share.outputs = {Output(lease_, 12), Output(other, 1)};
  coordinator_->AddShare(std::move(share));
  ASSERT_TRUE(coordinator_->Serve().ok());
  source_.Revoke(0);
  coordinator_->ClosePartition(lease_);
  committer_.Uncork();
  ServeUntilSettled();
  ASSERT_EQ(committer_.epochs().size(), 1U);
  EXPECT_EQ(committer_.epochs()[0].partitions.size(), 1U);
  EXPECT_EQ(committer_.epochs()[0].outputs.size(), 1U);
}

TEST_F(EpochCoordinatorTest, AFatalCommitEndsTheEngineWithItsSentence) {
  committer_.Script(
      {CommitOutcome::kFatal, "topic 'x' refuses", absl::StatusCode::kPermissionDenied});
  coordinator_->Advance(*lease_, 11, 1);
  EpochShare share;
  share.epoch = coordinator_->Close();
  coordinator_->AddShare(std::move(share));
  absl::Status status;
  while (status.ok()) status = coordinator_->Serve();
  EXPECT_EQ(status, absl::PermissionDeniedError("topic 'x' refuses"));
  EXPECT_EQ(commits_.probe().transactions_torn.value(), 0U);
}

TEST_F(EpochCoordinatorTest, ATornTransactionIsCountedBeforeTheEngineEnds) {
  committer_.Script({CommitOutcome::kFatal, "torn", absl::StatusCode::kDataLoss});
  coordinator_->Advance(*lease_, 11, 1);
  EpochShare share;
  share.epoch = coordinator_->Close();
  coordinator_->AddShare(std::move(share));
  absl::Status status;
  while (status.ok()) status = coordinator_->Serve();
  EXPECT_EQ(status, absl::DataLossError("torn"));
  EXPECT_EQ(commits_.probe().transactions_torn.value(), 1U);
}

TEST_F(EpochCoordinatorTest, ACommitterThatCannotStartEndsTheEngineBeforeAnyEpoch) {
  FakeCommitter refused;
  refused.start = absl::PermissionDeniedError("no right to write transactions");
  CommitThread commits(refused, clock_, [] {});
  EpochCoordinator coordinator({.workers = 1}, source_, commits, clock_);
  commits.Start();
  absl::Status status;
  while (status.ok()) status = coordinator.Serve();
  EXPECT_EQ(status, absl::PermissionDeniedError("no right to write transactions"));
}

TEST_F(EpochCoordinatorTest, WaitsForTheShareOfEveryWorker) {
  coordinator_ = Make({.workers = 2});
  lease_ = Open(1, 0);
  coordinator_->Advance(*lease_, 1, 1);
  EpochShare first;
  first.epoch = coordinator_->Close();
  EpochShare second = first;
  coordinator_->AddShare(std::move(first));
  ASSERT_TRUE(coordinator_->Serve().ok());
  EXPECT_TRUE(committer_.epochs().empty());
  coordinator_->AddShare(std::move(second));
  ServeUntilSettled();
  EXPECT_EQ(committer_.committed(), 1U);
}

}  // namespace
}  // namespace caracal::pipeline
