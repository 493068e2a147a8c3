#include "pipeline/commit/at_least_once_committer.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace caracal::pipeline {
namespace {

// Keeps the order in which the sink and the store were used.
struct Journal {
  std::vector<std::string> entries;
};

class FakeSink : public OutputSink {
 public:
  explicit FakeSink(Journal& journal) : journal_(journal) {}
  absl::Status Deliver(std::span<const OutputRecord> outputs) override {
    journal_.entries.push_back("deliver " + std::to_string(outputs.size()));
    return next;
  }
  void Cancel() override { cancelled = true; }

  absl::Status next = absl::OkStatus();
  bool cancelled = false;

 private:
  Journal& journal_;
};

class FakeStore : public OffsetStore {
 public:
  explicit FakeStore(Journal& journal) : journal_(journal) {}
  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override {
    journal_.entries.push_back("commit " + std::to_string(offsets[0].offset));
    if (on_commit != nullptr) on_commit();
    if (scripted.empty()) return {};
    OffsetCommitResult result = scripted.front();
    scripted.pop_front();
    return result;
  }

  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr>,
                                                         absl::Duration) override {
    return absl::UnimplementedError("at_least_once asks for no offsets");
  }

  std::deque<OffsetCommitResult> scripted;
  std::function<void()> on_commit;

 private:
  Journal& journal_;
};

class AtLeastOnceCommitterTest : public ::testing::Test {
 protected:
  AtLeastOnceCommitterTest() {
    lease_ = std::make_shared<PartitionLease>(1, 0, "t", 2, 0);
    epoch_.id = 7;
    epoch_.partitions.push_back({lease_, 40, 100, "meta"});
    epoch_.outputs.resize(3);
  }

  Journal journal_;
  FakeSink sink_{journal_};
  FakeStore store_{journal_};
  AtLeastOnceCommitter committer_{sink_, store_};
  LeasePtr lease_;
  SealedEpoch epoch_;
};

TEST_F(AtLeastOnceCommitterTest, CommitsOffsetsOnlyAfterTheOutputsAreAcknowledged) {
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_.entries, (std::vector<std::string>{"deliver 3", "commit 100"}));
}

TEST_F(AtLeastOnceCommitterTest, NeverCommitsWhenDeliveryFails) {
  sink_.next = absl::PermissionDeniedError("no write access to fraud.alerts");
  const CommitResult result = committer_.Commit(epoch_);
  EXPECT_EQ(result.outcome, CommitOutcome::kFatal);
  EXPECT_EQ(result.message, "no write access to fraud.alerts");
  EXPECT_EQ(journal_.entries, std::vector<std::string>{"deliver 3"});
}

TEST_F(AtLeastOnceCommitterTest, SealsAgainDuringARebalanceAndDoesNotDeliverTwice) {
  store_.scripted.push_back({OffsetCommitOutcome::kRebalancing, "rebalancing"});
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_.entries, (std::vector<std::string>{"deliver 3", "commit 100", "commit 100"}));
  epoch_.id = 8;
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_.entries[3], "deliver 3") << "the next epoch is delivered";
}

TEST_F(AtLeastOnceCommitterTest, RetriesWhatMayPass) {
  store_.scripted.push_back({OffsetCommitOutcome::kTransient, "coordinator moved"});
  store_.scripted.push_back({OffsetCommitOutcome::kTransient, "coordinator moved"});
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_.entries.size(), 4U);
}

TEST_F(AtLeastOnceCommitterTest, StopsRetryingWhenAPartitionIsTakenAway) {
  store_.scripted.push_back({OffsetCommitOutcome::kTransient, "timed out"});
  store_.on_commit = [this] { lease_->Lapse(); };
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  EXPECT_EQ(journal_.entries.size(), 2U);
}

// Delivering may take so long that the group has settled with another owner, who has gone further.
TEST_F(AtLeastOnceCommitterTest, CommitsNothingWhenAPartitionWasTakenAwayWhileDelivering) {
  lease_->Lapse();
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  EXPECT_EQ(journal_.entries, std::vector<std::string>{"deliver 3"});
}

TEST_F(AtLeastOnceCommitterTest, ReportsWhatWillNotPass) {
  store_.scripted.push_back({OffsetCommitOutcome::kFatal, "group authorization failed"});
  const CommitResult result = committer_.Commit(epoch_);
  EXPECT_EQ(result.outcome, CommitOutcome::kFatal);
  EXPECT_EQ(result.message, "group authorization failed");
}

TEST_F(AtLeastOnceCommitterTest, CancelEndsAWait) {
  for (int i = 0; i < 1000; ++i) {
    store_.scripted.push_back({OffsetCommitOutcome::kTransient, "timed out"});
  }
  CommitResult result;
  std::thread committing([&] { result = committer_.Commit(epoch_); });
  committer_.Cancel();
  committing.join();
  EXPECT_EQ(result.outcome, CommitOutcome::kReseal);
  EXPECT_TRUE(sink_.cancelled);
}

}  // namespace
}  // namespace caracal::pipeline
