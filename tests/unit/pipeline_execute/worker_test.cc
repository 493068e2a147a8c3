#include "pipeline/execute/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "agents/ruleset/bucket_image.h"
#include "agents/ruleset/bucket_state.h"
#include "tests/unit/pipeline_execute/judged_stream.h"

namespace caracal::pipeline {
namespace {

using Payment = JudgedStream::Payment;

std::vector<Payment> Payments(int64_t account, int64_t first_offset, int64_t count) {
  std::vector<Payment> payments;
  for (int64_t i = 0; i < count; ++i) {
    payments.push_back({.offset = first_offset + i, .account = account});
  }
  return payments;
}

class WorkerTest : public ::testing::Test {
 protected:
  Worker MakeWorker() { return {stream_.plans(), JudgedStream::kBuckets, 0, 1}; }
  static void Judge(Worker& worker, const LeasePtr& lease, const std::vector<Payment>& payments) {
    EventBatch batch = JudgedStream::Batch(lease, payments);
    worker.Handle(batch);
  }

  JudgedStream stream_{2};
};

TEST_F(WorkerTest, HandsOverAlertsAndCountsAtTheBarrier) {
  Worker worker = MakeWorker();
  const LeasePtr lease = JudgedStream::Lease(3);
  worker.Handle(OpenPartition{lease, nullptr});
  Judge(worker, lease, Payments(7, 100, 4));
  EXPECT_GT(worker.output_bytes(), 0U);
  const EpochShare share = worker.Handle(Barrier{5, {}});

  EXPECT_EQ(share.epoch, 5U);
  ASSERT_EQ(share.outputs.size(), 2U) << "the third and the fourth payment";
  EXPECT_EQ(share.outputs[0].kind, OutputKind::kAlert);
  EXPECT_EQ(share.outputs[0].lease, lease);
  EXPECT_EQ(share.outputs[0].offset, 102);
  EXPECT_EQ(share.outputs[1].offset, 103);
  EXPECT_EQ(share.outputs[0].key, "7");
  EXPECT_NE(share.outputs[0].value.find(R"("partition":3,"offset":102)"), std::string::npos)
      << share.outputs[0].value;
  ASSERT_EQ(share.streams.size(), 2U);
  EXPECT_EQ(share.streams[0].counts.evaluated, 4U);
  EXPECT_EQ(share.streams[1].counts.evaluated, 0U);
  ASSERT_EQ(share.streams[0].rulesets.size(), 1U);
  EXPECT_THAT(share.streams[0].rulesets[0].alerts, testing::ElementsAre(0, 2, 0, 0));
  EXPECT_EQ(share.streams[0].rulesets[0].rules[0].evaluations, 4U);
  EXPECT_EQ(share.streams[0].rulesets[0].rules[0].fired, 2U);
  EXPECT_EQ(share.state.at(0).size.keys, 1U);
  EXPECT_GT(share.state.at(0).size.bytes, 0U);
}

TEST_F(WorkerTest, StartsEveryEpochEmptyAndKeepsTheState) {
  Worker worker = MakeWorker();
  const LeasePtr lease = JudgedStream::Lease(0);
  worker.Handle(OpenPartition{lease, nullptr});
  Judge(worker, lease, Payments(7, 0, 3));
  worker.Handle(Barrier{1, {}});
  EXPECT_EQ(worker.output_bytes(), 0U);
  Judge(worker, lease, Payments(7, 3, 1));
  const EpochShare second = worker.Handle(Barrier{2, {}});
  EXPECT_EQ(second.outputs.size(), 1U) << "the fourth payment, by the state of the first epoch";
  EXPECT_EQ(second.streams[0].counts.evaluated, 1U);
  EXPECT_THAT(second.streams[0].rulesets[0].alerts, testing::ElementsAre(0, 1, 0, 0));
  EXPECT_EQ(worker.Handle(Barrier{3, {}}).outputs.size(), 0U);
}

TEST_F(WorkerTest, EvictionsAreToldOnce) {
  std::vector<StreamPlan> plans = stream_.plans();
  agents::BucketLimits& limits = plans[0].limits;
  limits.max_bytes = agents::BucketState::MinBytes(*plans[0].rulesets, limits.rows_per_bucket);
  Worker worker(plans, JudgedStream::kBuckets, 0, 1);
  const LeasePtr lease = JudgedStream::Lease(0);
  worker.Handle(OpenPartition{lease, nullptr});
  for (int64_t account = 1; account <= 1000; ++account) {
    Judge(worker, lease, Payments(account, account, 1));
  }
  const StateSize full = worker.Handle(Barrier{1, {}}).state[0].size;
  EXPECT_EQ(full.evictions, 1000 - full.keys);
  EXPECT_GT(full.evictions, 0U);
  EXPECT_EQ(worker.Handle(Barrier{2, {}}).state[0].size.evictions, 0U);
  Judge(worker, lease, Payments(2000, 2000, 1));
  const StateSize after = worker.Handle(Barrier{3, {}}).state[0].size;
  EXPECT_EQ(after.evictions, full.keys + 1 - after.keys);
}

TEST_F(WorkerTest, ReplayedEventsChangeTheStateAndNothingElse) {
  Worker worker = MakeWorker();
  const LeasePtr lease = JudgedStream::Lease(0);
  worker.Handle(OpenPartition{lease, nullptr});
  std::vector<Payment> payments = Payments(7, 0, 5);
  for (size_t i = 0; i < 4; ++i) payments[i].replayed = true;
  Judge(worker, lease, payments);
  const EpochShare share = worker.Handle(Barrier{1, {}});
  EXPECT_EQ(share.streams[0].counts.replayed, 4U);
  EXPECT_EQ(share.streams[0].counts.evaluated, 1U);
  EXPECT_EQ(share.streams[0].rulesets[0].rules[0].evaluations, 1U);
  ASSERT_EQ(share.outputs.size(), 1U);
  EXPECT_EQ(share.outputs[0].offset, 4);
}

TEST_F(WorkerTest, WarmedEventsAreCountedAndRaiseNothing) {
  Worker worker = MakeWorker();
  const LeasePtr lease = JudgedStream::Lease(0);
  worker.Handle(OpenPartition{lease, nullptr});
  std::vector<Payment> payments = Payments(7, 0, 4);
  for (size_t i = 0; i < 3; ++i) payments[i].warm = true;
  Judge(worker, lease, payments);
  const EpochShare share = worker.Handle(Barrier{1, {}});
  EXPECT_EQ(share.streams[0].counts.evaluated, 4U);
  EXPECT_EQ(share.streams[0].counts.warmed, 3U);
  ASSERT_EQ(share.outputs.size(), 1U);
  EXPECT_EQ(share.outputs[0].offset, 3);
}

TEST_F(WorkerTest, ARowSeenBeforeIsADuplicate) {
  Worker worker = MakeWorker();
  const LeasePtr lease = JudgedStream::Lease(0);
  worker.Handle(OpenPartition{lease, nullptr});
  Judge(worker, lease,
        {{.offset = 0, .account = 7, .row = 42},
         {.offset = 1, .account = 7, .row = 42},
         {.offset = 2, .account = 7, .row = 43}});
  const EpochShare share = worker.Handle(Barrier{1, {}});
  EXPECT_EQ(share.streams[0].counts.evaluated, 2U);
  EXPECT_EQ(share.streams[0].counts.skipped[static_cast<size_t>(SkipReason::kDuplicate)], 1U);
  EXPECT_TRUE(share.outputs.empty());
}

TEST_F(WorkerTest, PartitionsAndStreamsShareNoState) {
  Worker worker = MakeWorker();
  const std::vector<LeasePtr> leases = {JudgedStream::Lease(0), JudgedStream::Lease(1),
                                        JudgedStream::Lease(0, 1)};
  for (const LeasePtr& lease : leases) {
    worker.Handle(OpenPartition{lease, nullptr});
    Judge(worker, lease, Payments(7, 0, 2));
  }
  EXPECT_TRUE(worker.Handle(Barrier{1, {}}).outputs.empty());
  EXPECT_EQ(worker.BucketDigests(*leases[0]), worker.BucketDigests(*leases[1]));
  Judge(worker, leases[2], Payments(7, 2, 1));
  const EpochShare share = worker.Handle(Barrier{2, {}});
  ASSERT_EQ(share.outputs.size(), 1U);
  EXPECT_EQ(share.outputs[0].lease, leases[2]);
  EXPECT_THAT(share.streams[1].rulesets[0].alerts, testing::ElementsAre(0, 1, 0, 0));
  EXPECT_NE(worker.BucketDigests(*leases[0]), worker.BucketDigests(*leases[2]));
}

TEST_F(WorkerTest, AClosedPartitionTakesItsStateAndOutputsAlong) {
  Worker worker = MakeWorker();
  const LeasePtr going = JudgedStream::Lease(0);
  const LeasePtr staying = JudgedStream::Lease(1);
  for (const LeasePtr& lease : {going, staying}) {
    worker.Handle(OpenPartition{lease, nullptr});
    Judge(worker, lease, Payments(7, 0, 3));
  }
  worker.Handle(ClosePartition{going});
  EpochShare share = worker.Handle(Barrier{1, {}});
  ASSERT_EQ(share.outputs.size(), 1U);
  EXPECT_EQ(share.outputs[0].lease, staying);
  ASSERT_EQ(share.state.size(), 1U);
  EXPECT_EQ(share.state[0].lease, staying);
  EXPECT_EQ(share.state[0].size.keys, 1U);

  // The slot is free: a new lease starts from nothing.
  const LeasePtr again = JudgedStream::Lease(0);
  worker.Handle(OpenPartition{again, nullptr});
  Judge(worker, again, Payments(7, 0, 2));
  share = worker.Handle(Barrier{2, {}});
  EXPECT_TRUE(share.outputs.empty());
  ASSERT_EQ(share.state.size(), 2U);
  EXPECT_EQ(share.state[0].lease, again);
  EXPECT_EQ(share.state[0].size.keys, 1U);
  EXPECT_EQ(share.state[1].size.keys, 1U);
}

TEST_F(WorkerTest, AWorkerOwnsTheBucketsOfItsIndexOnly) {
  Worker whole = MakeWorker();
  Worker first(stream_.plans(), JudgedStream::kBuckets, 0, 2);
  Worker second(stream_.plans(), JudgedStream::kBuckets, 1, 2);
  const LeasePtr lease = JudgedStream::Lease(0);
  std::vector<Payment> payments;
  for (int64_t i = 0; i < 200; ++i) payments.push_back({.offset = i, .account = i % 40});
  for (Worker* worker : {&whole, &first, &second}) worker->Handle(OpenPartition{lease, nullptr});
  Judge(whole, lease, payments);
  EventBatch batch = JudgedStream::Batch(lease, payments, 0, 2);
  first.Handle(batch);
  batch = JudgedStream::Batch(lease, payments, 1, 2);
  second.Handle(batch);
  const auto whole_digests = whole.BucketDigests(*lease);
  const auto first_digests = first.BucketDigests(*lease);
  const auto second_digests = second.BucketDigests(*lease);
  for (size_t bucket = 0; bucket < whole_digests.size(); ++bucket) {
    SCOPED_TRACE(bucket);
    EXPECT_EQ(whole_digests[bucket], (bucket % 2 == 0 ? first_digests : second_digests)[bucket]);
  }
  const EpochShare of_whole = whole.Handle(Barrier{1, {}});
  const EpochShare of_first = first.Handle(Barrier{1, {}});
  const EpochShare of_second = second.Handle(Barrier{1, {}});
  EXPECT_EQ(of_whole.outputs.size(), of_first.outputs.size() + of_second.outputs.size());
  EXPECT_EQ(of_whole.state.at(0).size.keys,
            of_first.state.at(0).size.keys + of_second.state.at(0).size.keys);
  EXPECT_GT(of_first.outputs.size(), 0U);
  EXPECT_GT(of_second.outputs.size(), 0U);
}

TEST_F(WorkerTest, CopiesOfBucketsGoOnWhereTheyWereMadeAndAReplayPassesThemOver) {
  Worker original = MakeWorker();
  const LeasePtr lease = JudgedStream::Lease(0);
  original.Handle(OpenPartition{lease, nullptr});
  std::vector<Payment> payments;
  for (int64_t i = 0; i < 60; ++i) payments.push_back({.offset = i, .account = i % 20});
  Judge(original, lease, payments);
  Barrier barrier{1, {}};
  for (uint32_t bucket = 0; bucket < JudgedStream::kBuckets; ++bucket) {
    barrier.due.push_back({lease, bucket, 60});
  }
  const EpochShare share = original.Handle(barrier);
  ASSERT_EQ(share.snapshots.size(), JudgedStream::kBuckets);

  const StreamPlan& plan = stream_.plans()[0];
  auto restored = std::make_shared<RestoredState>();
  for (const BucketCopy& copy : share.snapshots) {
    EXPECT_EQ(copy.lease, lease);
    EXPECT_EQ(copy.offset, 60);
    auto bucket =
        agents::BucketState::Parse(plan.rulesets, plan.limits, JudgedStream::kBuckets, copy.image);
    ASSERT_TRUE(bucket.ok()) << bucket.status();
    restored->push_back({copy.bucket, copy.offset,
                         std::make_shared<agents::BucketState>(std::move(bucket->state))});
  }
  Worker next = MakeWorker();
  next.Handle(OpenPartition{lease, restored});
  EXPECT_EQ(next.BucketDigests(*lease), original.BucketDigests(*lease));
  for (Payment& payment : payments) payment.replayed = true;
  Judge(next, lease, payments);
  EXPECT_EQ(next.BucketDigests(*lease), original.BucketDigests(*lease)) << "counted twice";

  const std::vector<Payment> more = Payments(7, 60, 2);
  Judge(original, lease, more);
  Judge(next, lease, more);
  EXPECT_EQ(next.BucketDigests(*lease), original.BucketDigests(*lease));
  const EpochShare of_next = next.Handle(Barrier{2, {}});
  EXPECT_EQ(of_next.streams[0].counts.replayed, 60U);
  EXPECT_EQ(of_next.outputs.size(), 2U);
  EXPECT_TRUE(of_next.snapshots.empty()) << "none was due";
}

class WorkerChangesTest : public WorkerTest {
 protected:
  WorkerChangesTest() {
    worker_.Handle(OpenPartition{lease_, nullptr});
    std::vector<Payment> payments;
    for (; next_ < 2000; ++next_) payments.push_back({.offset = next_, .account = next_ % 500});
    Judge(worker_, lease_, payments);
  }

  /// The copy of bucket 0 after `payments` of accounts from `account` on.
  BucketCopy CopyAfter(int64_t payments, int64_t account, int64_t base) {
    std::vector<Payment> more;
    for (int64_t i = 0; i < payments; ++i) {
      more.push_back({.offset = next_++, .account = account + i});
    }
    if (!more.empty()) Judge(worker_, lease_, more);
    EpochShare share = worker_.Handle(Barrier{++epoch_, {{lease_, 0, next_, base}}});
    EXPECT_EQ(share.snapshots.size(), 1U);
    EXPECT_EQ(share.snapshots.at(0).offset, next_);
    return std::move(share.snapshots.at(0));
  }

  Worker worker_ = MakeWorker();
  const LeasePtr lease_ = JudgedStream::Lease(0);
  int64_t next_ = 0;
  uint64_t epoch_ = 0;
};

TEST_F(WorkerChangesTest, ACopyHoldsTheChangesSinceTheWholeOneThatIsDurable) {
  const BucketCopy whole = CopyAfter(10, 0, /*base=*/-1);
  EXPECT_EQ(whole.base, -1);
  const BucketCopy changes = CopyAfter(10, 0, whole.offset);
  EXPECT_EQ(changes.base, whole.offset);
  EXPECT_LT(changes.image.size(), whole.image.size() / 4);
  const BucketCopy more = CopyAfter(20, 100, whole.offset);
  EXPECT_EQ(more.base, whole.offset);
  const auto image = agents::BucketImage::WithChanges(whole.image, more.image);
  ASSERT_TRUE(image.ok()) << image.status();
  const StreamPlan& plan = stream_.plans()[0];
  const auto bucket =
      agents::BucketState::Parse(plan.rulesets, plan.limits, JudgedStream::kBuckets, *image);
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  EXPECT_EQ(bucket->state.Digest(), worker_.BucketDigests(*lease_)[0]);
}

TEST_F(WorkerChangesTest, ACopyIsWholeWhileTheLastWholeOneIsNotDurable) {
  const BucketCopy first = CopyAfter(1, 0, /*base=*/-1);
  EXPECT_EQ(CopyAfter(1, 0, /*base=*/-1).base, -1) << "it is not durable yet, or was lost";
  EXPECT_EQ(CopyAfter(1, 0, first.offset).base, -1) << "the baseline is that of a later one";
}

TEST_F(WorkerChangesTest, AWholeCopyIsMadeBeforeChangesCostMoreThanThat) {
  int64_t base = -1;
  size_t whole = 0;
  size_t wholes = 0;
  size_t bytes = 0;
  constexpr int kCopies = 60;
  for (int i = 0; i < kCopies; ++i) {
    const BucketCopy copy = CopyAfter(10, 10 * (i % 50), base);
    bytes += copy.image.size();
    if (copy.base >= 0) continue;
    base = copy.offset;
    whole = copy.image.size();
    ++wholes;
  }
  EXPECT_GT(wholes, 3U);
  EXPECT_LT(wholes, 20U);
  // A fiftieth changes from copy to copy: a fifth of the whole per copy is the least, sqrt(2 / 50).
  EXPECT_LT(bytes, kCopies * whole / 4);
}

TEST_F(WorkerChangesTest, ABucketThatHasLostRecordsIsCopiedWhole) {
  const BucketCopy whole = CopyAfter(1, 0, /*base=*/-1);
  EXPECT_EQ(CopyAfter(1, 0, whole.offset).base, whole.offset);
  worker_.Handle(ClosePartition{lease_});
  worker_.Handle(OpenPartition{lease_, nullptr});
  EXPECT_EQ(CopyAfter(1, 0, whole.offset).base, -1) << "another state";
}

}  // namespace
}  // namespace caracal::pipeline
