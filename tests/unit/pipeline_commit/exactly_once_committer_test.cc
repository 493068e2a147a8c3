#include "pipeline/commit/exactly_once_committer.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace caracal::pipeline {
namespace {

using Journal = std::vector<std::string>;

class FakeTransactions : public TransactionSink {
 public:
  explicit FakeTransactions(Journal& journal) : journal_(journal) {}
  absl::Status Renew() override {
    journal_.emplace_back("renew");
    if (renewals.empty()) return absl::OkStatus();
    absl::Status status = renewals.front();
    renewals.pop_front();
    return status;
  }
  void ChangeId() override { journal_.emplace_back("change id"); }
  TransactionResult Send(const SealedEpoch& epoch) override {
    journal_.push_back("send " + std::to_string(epoch.id));
    TransactionResult result;
    if (!results.empty()) {
      result = results.front();
      results.pop_front();
    }
    return result;
  }
  void Cancel() override {}

  std::deque<absl::Status> renewals;
  std::deque<TransactionResult> results;

 private:
  Journal& journal_;
};

class FakeOffsets : public OffsetStore {
 public:
  explicit FakeOffsets(Journal& journal) : journal_(journal) {}
  OffsetCommitResult Commit(std::span<const OffsetCommit>) override {
    journal_.emplace_back("commit");
    return {};
  }
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                         absl::Duration) override {
    journal_.push_back("ask " + std::to_string(leases.size()));
    if (on_ask != nullptr) on_ask();
    if (failures > 0) {
      --failures;
      return absl::UnavailableError("the coordinator moves");
    }
    std::vector<CommittedOffset> answer;
    for (const int64_t offset : offsets) answer.push_back({offset, ""});
    return answer;
  }

  std::vector<int64_t> offsets;
  int failures = 0;
  std::function<void()> on_ask;

 private:
  Journal& journal_;
};

class ExactlyOnceCommitterTest : public ::testing::Test {
 protected:
  ExactlyOnceCommitterTest() {
    epoch_.id = 7;
    epoch_.group_metadata = "generation 3";
    for (int32_t i = 0; i < 2; ++i) {
      leases_.push_back(std::make_shared<PartitionLease>(i, 0, "t", i, i));
      epoch_.partitions.push_back({leases_.back(), 10, 20, "meta"});
    }
    EXPECT_EQ(committer_.Start(), absl::OkStatus());
    journal_.clear();
  }
  void NextOutcome(TransactionOutcome outcome, bool suspect = false) {
    sink_.results.push_back({outcome, "as scripted", suspect});
  }

  Journal journal_;
  FakeTransactions sink_{journal_};
  FakeOffsets offsets_{journal_};
  ManualClock clock_;
  ExactlyOnceCommitter committer_{sink_, offsets_, clock_};
  std::vector<LeasePtr> leases_;
  SealedEpoch epoch_;
};

TEST_F(ExactlyOnceCommitterTest, CommitsAnEpochInOneTransaction) {
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_, Journal{"send 7"});
}

TEST_F(ExactlyOnceCommitterTest, SendsNothingWithoutAGeneration) {
  epoch_.group_metadata.clear();
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  EXPECT_EQ(journal_, Journal{});
}

TEST_F(ExactlyOnceCommitterTest, SealsAnAbortedEpochAgain) {
  NextOutcome(TransactionOutcome::kAborted);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_, (Journal{"send 7", "send 7"}));
}

TEST_F(ExactlyOnceCommitterTest, RenewsTheProducerAfterASuspectCommit) {
  NextOutcome(TransactionOutcome::kCommitted, /*suspect=*/true);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_, (Journal{"send 7", "renew", "send 7"}));
}

TEST_F(ExactlyOnceCommitterTest, AnUnknownOutcomeWasACommitWhenTheOffsetsStandAtTheEnd) {
  NextOutcome(TransactionOutcome::kUnknown);
  offsets_.offsets = {20, 20};
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  // The old producer is fenced before the offsets are asked for: they cannot change any more.
  EXPECT_EQ(journal_, (Journal{"send 7", "renew", "ask 2"}));
}

TEST_F(ExactlyOnceCommitterTest, AnUnknownOutcomeWasNoneWhenTheOffsetsStandAtTheBegin) {
  NextOutcome(TransactionOutcome::kUnknown);
  offsets_.offsets = {10, 10};
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  // Its outputs may have no abort marker: the next commit of the same producer would show them.
  EXPECT_EQ(journal_, (Journal{"send 7", "renew", "ask 2", "change id", "renew", "send 7"}));
}

TEST_F(ExactlyOnceCommitterTest, ChangesItsIdAfterAnAbortWhileABrokerWasOutOfReach) {
  NextOutcome(TransactionOutcome::kAborted, /*suspect=*/true);
  sink_.results.back().disturbed = true;
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_, (Journal{"send 7", "change id", "renew", "send 7"}));
}

// Should the broker have lost its commit markers, the next commit writes them.
TEST_F(ExactlyOnceCommitterTest, KeepsItsIdAfterACommitWhileABrokerWasOutOfReach) {
  NextOutcome(TransactionOutcome::kCommitted, /*suspect=*/true);
  sink_.results.back().disturbed = true;
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_, (Journal{"send 7", "renew", "send 7"}));
}

TEST_F(ExactlyOnceCommitterTest, AsksAgainWhileTheCoordinatorIsAway) {
  NextOutcome(TransactionOutcome::kUnknown);
  offsets_.offsets = {20, 20};
  offsets_.failures = 2;
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_, (Journal{"send 7", "renew", "ask 2", "ask 2", "ask 2"}));
}

TEST_F(ExactlyOnceCommitterTest, LeavesPartitionsThatLapsedToTheirNextOwner) {
  NextOutcome(TransactionOutcome::kUnknown);
  leases_[1]->Lapse();
  offsets_.offsets = {20, 95};  // the next owner has gone on
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(journal_, (Journal{"send 7", "renew", "ask 1"})) << "its transaction may be open";
}

TEST_F(ExactlyOnceCommitterTest, SealsAgainWhenEveryPartitionHasLapsed) {
  NextOutcome(TransactionOutcome::kUnknown);
  for (const LeasePtr& lease : leases_) lease->Lapse();
  offsets_.offsets = {95, 95};
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
}

TEST_F(ExactlyOnceCommitterTest, WaitsForAMemberThatWasTimedOutToLearnIt) {
  NextOutcome(TransactionOutcome::kUnknown);
  offsets_.offsets = {20, 95};
  int asked = 0;
  offsets_.on_ask = [&] {
    if (++asked == 3) leases_[1]->Lapse();
  };
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(asked, 3);
}

TEST_F(ExactlyOnceCommitterTest, StopsAtATornTransaction) {
  NextOutcome(TransactionOutcome::kUnknown);
  offsets_.offsets = {20, 10};
  offsets_.on_ask = [&] { clock_.Advance(60'000'000); };
  const CommitResult result = committer_.Commit(epoch_);
  EXPECT_EQ(result.outcome, CommitOutcome::kFatal);
  EXPECT_EQ(result.code, absl::StatusCode::kDataLoss);
  for (const char* part :
       {"TORN", "epoch 7", "t [0] from 10 to 20 at 20, t [1] from 10 to 20 at 10"}) {
    EXPECT_NE(result.message.find(part), std::string::npos) << result.message;
  }
}

TEST_F(ExactlyOnceCommitterTest, NamesSomePartitionsOfATornTransactionOnly) {
  for (int32_t i = 2; i < 20; ++i) {
    leases_.push_back(std::make_shared<PartitionLease>(i, 0, "t", i, i));
    epoch_.partitions.push_back({leases_.back(), 10, 20, "meta"});
  }
  NextOutcome(TransactionOutcome::kUnknown);
  offsets_.offsets.assign(20, 20);
  offsets_.offsets[19] = 10;
  offsets_.on_ask = [&] { clock_.Advance(60'000'000); };
  const std::string said = committer_.Commit(epoch_).message;
  EXPECT_NE(said.find("t [15] from 10 to 20 at 20 and 4 more partitions"), std::string::npos)
      << said;
  EXPECT_EQ(said.find("t [16]"), std::string::npos) << said;
}

TEST_F(ExactlyOnceCommitterTest, StopsWhenAnotherProcessHasItsId) {
  NextOutcome(TransactionOutcome::kFenced);
  const CommitResult result = committer_.Commit(epoch_);
  EXPECT_EQ(result.outcome, CommitOutcome::kFatal);
  EXPECT_NE(result.message.find("instance_id"), std::string::npos) << result.message;
}

TEST_F(ExactlyOnceCommitterTest, StopsWhenNoProducerIsAllowed) {
  NextOutcome(TransactionOutcome::kUnknown);
  sink_.renewals.push_back(absl::PermissionDeniedError("no Write on the transactional id"));
  const CommitResult result = committer_.Commit(epoch_);
  EXPECT_EQ(result.outcome, CommitOutcome::kFatal);
  EXPECT_EQ(result.message, "no Write on the transactional id");
}

TEST_F(ExactlyOnceCommitterTest, CancelEndsTheSearchForAnOutcome) {
  NextOutcome(TransactionOutcome::kUnknown);
  offsets_.failures = 1'000'000;
  std::thread canceller;
  offsets_.on_ask = [&] {
    if (!canceller.joinable()) canceller = std::thread([this] { committer_.Cancel(); });
  };
  EXPECT_EQ(committer_.Commit(epoch_).outcome, CommitOutcome::kReseal);
  canceller.join();
}

}  // namespace
}  // namespace caracal::pipeline
