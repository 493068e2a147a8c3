#include "pipeline/snapshot/snapshot_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace caracal::pipeline {
namespace {

LeasePtr MakeLease(uint32_t slot) {
  return std::make_shared<PartitionLease>(slot + 1, 0, "t", static_cast<int32_t>(slot), slot);
}

std::vector<DueBucket> TakeDue(SnapshotSchedule& schedule, const LeasePtr& lease, int64_t next,
                               int64_t now_us = 0) {
  const SnapshotSchedule::Position position = {lease, next};
  return schedule.TakeDue({&position, 1}, now_us);
}

TEST(SnapshotScheduleTest, CopiesNothingBeforeItIsDue) {
  SnapshotSchedule schedule({.buckets = 4, .max_replay_records = 600});
  const LeasePtr lease = MakeLease(0);
  schedule.Open(lease, 1000, {}, 0);
  EXPECT_TRUE(TakeDue(schedule, lease, 1099).empty());
  const SnapshotSchedule::Position before = {lease, 1099};
  const SnapshotSchedule::Position due = {lease, 1100};
  EXPECT_FALSE(schedule.HasDue({&before, 1}, 0));
  EXPECT_TRUE(schedule.HasDue({&due, 1}, 0));
  ASSERT_EQ(TakeDue(schedule, lease, 1100).size(), 1U) << "a quarter of two thirds of 600";
}

TEST(SnapshotScheduleTest, CopiesEveryBucketOnceInAPeriod) {
  SnapshotSchedule schedule({.buckets = 4, .max_replay_records = 600});
  const LeasePtr lease = MakeLease(0);
  schedule.Open(lease, 0, {}, 0);
  std::multiset<uint32_t> copied;
  for (int64_t next = 0; next <= 400; ++next) {
    for (const DueBucket& due : TakeDue(schedule, lease, next)) {
      EXPECT_EQ(due.offset, next);
      copied.insert(due.bucket);
      schedule.NoteSaved({lease, due.bucket, due.offset});
    }
  }
  EXPECT_EQ(copied, (std::multiset<uint32_t>{0, 1, 2, 3}));
}

// As when a fresh member learns that it replays faster than assumed.
TEST(SnapshotScheduleTest, ALongerPeriodCountsForCopiesThatWereToCome) {
  SnapshotSchedule schedule({.buckets = 4, .max_replay_records = 600});
  const LeasePtr lease = MakeLease(0);
  schedule.Open(lease, 0, {}, 0);
  ASSERT_EQ(TakeDue(schedule, lease, 100).size(), 1U);
  schedule.NoteSaved({lease, 0, 100});
  schedule.set_max_replay_records(6'000);
  EXPECT_TRUE(TakeDue(schedule, lease, 1'999).empty());
  const std::vector<DueBucket> due = TakeDue(schedule, lease, 2'000);
  ASSERT_EQ(due.size(), 1U) << "the second of four parts of two thirds of 6,000";
  EXPECT_EQ(due[0].bucket, 1U);
  EXPECT_EQ(TakeDue(schedule, lease, 4'100).size(), 3U)
      << "bucket 0 a whole period behind its copy";
}

// A quiet partition: its few records would be deleted by their source before a period is over.
TEST(SnapshotScheduleTest, AnOldCopyIsReplacedHoweverFewRecordsItLacks) {
  constexpr int64_t kAge = 1'000;
  SnapshotSchedule schedule({.buckets = 2, .max_replay_records = 1'000'000, .max_age_us = kAge});
  const LeasePtr lease = MakeLease(0);
  const RestoredState restored = {{1, 7, nullptr}};
  schedule.Open(lease, 5, restored, 100);
  EXPECT_TRUE(TakeDue(schedule, lease, 7, 99 + kAge).empty());
  ASSERT_EQ(TakeDue(schedule, lease, 7, 100 + kAge).size(), 1U) << "bucket 1 lacks nothing";
  schedule.NoteSaved({lease, 0, 7, /*is_whole=*/true});
  EXPECT_TRUE(TakeDue(schedule, lease, 7, 10 * kAge).empty()) << "nothing has come";
  ASSERT_EQ(TakeDue(schedule, lease, 8, 10 * kAge).size(), 2U);
  schedule.NoteSaved({lease, 0, 8});
  schedule.NoteSaved({lease, 1, 8});
  EXPECT_TRUE(TakeDue(schedule, lease, 9, 11 * kAge - 1).empty());
  EXPECT_EQ(TakeDue(schedule, lease, 9, 11 * kAge).size(), 2U);
}

// A member that is about to leave: the next owner has nothing to replay but what comes meanwhile.
TEST(SnapshotScheduleTest, WhatIsHandedOverIsDueAtOnceAndOnce) {
  SnapshotSchedule schedule({.buckets = 4, .max_replay_records = 1'000'000});
  const LeasePtr lease = MakeLease(0);
  const RestoredState restored = {{1, 70, nullptr}, {2, 60, nullptr}};
  schedule.Open(lease, 5, restored, 0);
  EXPECT_TRUE(TakeDue(schedule, lease, 70).empty());
  EXPECT_FALSE(schedule.HandsOver());
  const SnapshotSchedule::Position position = {lease, 70};
  schedule.HandOver({&position, 1});
  EXPECT_TRUE(schedule.HandsOver());
  EXPECT_TRUE(schedule.HasDue({&position, 1}, 0));
  const std::vector<DueBucket> due = TakeDue(schedule, lease, 72);
  ASSERT_EQ(due.size(), 3U) << "bucket 1 lacks nothing of what there was";
  for (const DueBucket& entry : due) {
    EXPECT_TRUE(schedule.HandsOver());
    schedule.NoteSaved({lease, entry.bucket, entry.offset});
  }
  EXPECT_FALSE(schedule.HandsOver());
  EXPECT_TRUE(TakeDue(schedule, lease, 75).empty()) << "what came since is not handed over";
  EXPECT_EQ(schedule.Debt(*lease, 75), 5);
}

TEST(SnapshotScheduleTest, DoesNotCopyABucketThatIsOnItsWay) {
  SnapshotSchedule schedule({.buckets = 1, .max_replay_records = 15});
  const LeasePtr lease = MakeLease(0);
  schedule.Open(lease, 0, {}, 0);
  ASSERT_EQ(TakeDue(schedule, lease, 10).size(), 1U);
  EXPECT_TRUE(TakeDue(schedule, lease, 1000).empty());
  schedule.NoteSaved({lease, 0, 10});
  EXPECT_EQ(TakeDue(schedule, lease, 1001).size(), 1U);
}

TEST(SnapshotScheduleTest, TakesTheOldestCopiesFirstAndFewAtATime) {
  SnapshotSchedule schedule({.buckets = 4, .max_replay_records = 60, .max_buckets_per_barrier = 2});
  const LeasePtr lease = MakeLease(0);
  const RestoredState restored = {
      {0, 30, nullptr}, {1, 10, nullptr}, {2, 40, nullptr}, {3, 20, nullptr}};
  schedule.Open(lease, 0, restored, 0);
  const std::vector<DueBucket> due = TakeDue(schedule, lease, 500);
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[0].bucket, 1U);
  EXPECT_EQ(due[1].bucket, 3U);
}

TEST(SnapshotScheduleTest, DebtIsTheDistanceToTheOldestDurableCopy) {
  SnapshotSchedule schedule({.buckets = 2, .max_replay_records = 100});
  const LeasePtr lease = MakeLease(0);
  schedule.Open(lease, 100, {}, 0);
  EXPECT_EQ(schedule.Debt(*lease, 150), 50);
  schedule.NoteSaved({lease, 0, 140});
  EXPECT_EQ(schedule.Debt(*lease, 150), 50) << "bucket 1 has no copy yet";
  schedule.NoteSaved({lease, 1, 120});
  EXPECT_EQ(schedule.Debt(*lease, 150), 30);
  schedule.NoteSaved({lease, 1, 110});
  EXPECT_EQ(schedule.Debt(*lease, 150), 30) << "an older copy changes nothing";
}

TEST(SnapshotScheduleTest, IgnoresWhatComesAfterAPartitionHasGone) {
  SnapshotSchedule schedule({.buckets = 1, .max_replay_records = 15});
  const LeasePtr first = MakeLease(0);
  schedule.Open(first, 0, {}, 0);
  schedule.Close(first);
  const LeasePtr second = MakeLease(0);
  schedule.Open(second, 0, {}, 0);
  schedule.NoteSaved({first, 0, 10});
  EXPECT_EQ(schedule.Debt(*second, 10), 10);
  EXPECT_EQ(schedule.Debt(*first, 10), 0);
}

// While copies become durable one barrier later, the debt of all partitions stays in its bound.
TEST(SnapshotScheduleTest, KeepsTheDebtOfAllPartitionsInBounds) {
  constexpr int64_t kMaxReplay = 64'000;
  constexpr int64_t kStep = 100;
  std::mt19937_64 random(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(::testing::UnitTest::GetInstance()->random_seed());
  SnapshotSchedule schedule({.buckets = 16, .max_replay_records = kMaxReplay});
  std::vector<SnapshotSchedule::Position> positions;
  for (uint32_t i = 0; i < 4; ++i) {
    positions.push_back({MakeLease(i), 0});
    schedule.Open(positions.back().lease, 0, {}, 0);
  }
  std::vector<DueBucket> on_the_way;
  for (int barrier = 0; barrier < 5'000; ++barrier) {
    for (const DueBucket& saved : on_the_way) {
      schedule.NoteSaved({saved.lease, saved.bucket, saved.offset});
    }
    for (SnapshotSchedule::Position& position : positions) {
      position.next_offset += static_cast<int64_t>(random() % (2 * kStep));
    }
    on_the_way = schedule.TakeDue(positions, 0);
    int64_t debt = 0;
    for (const SnapshotSchedule::Position& position : positions) {
      debt += schedule.Debt(*position.lease, position.next_offset);
    }
    ASSERT_LE(debt, kMaxReplay) << "at barrier " << barrier;
  }
}

TEST(SnapshotScheduleTest, NamesTheNewestDurableWholeCopyAsBase) {
  SnapshotSchedule schedule({.buckets = 1, .max_replay_records = 15});
  const LeasePtr lease = MakeLease(0);
  const RestoredState restored = {{0, 5, nullptr}};
  schedule.Open(lease, 0, restored, 0);
  const auto base_at = [&](int64_t next) { return TakeDue(schedule, lease, next).at(0).base; };
  EXPECT_EQ(base_at(20), -1) << "what was read back is no base";
  schedule.NoteSaved({lease, 0, 20, /*is_whole=*/true});
  EXPECT_EQ(base_at(40), 20);
  schedule.NoteSaved({lease, 0, 40, /*is_whole=*/false});
  EXPECT_EQ(base_at(60), 20);
  schedule.NoteSaved({lease, 0, 60, /*is_whole=*/true});
  EXPECT_EQ(base_at(80), 60);
}

/// Barriers after which copies become durable one barrier later.
class Barriers {
 public:
  Barriers(const SnapshotScheduleOptions& options, uint32_t partitions) : schedule_(options) {
    for (uint32_t i = 0; i < partitions; ++i) {
      positions_.push_back({MakeLease(i), 0});
      schedule_.Open(positions_.back().lease, 0, {}, 0);
    }
  }

  SnapshotSchedule& schedule() { return schedule_; }
  /// `records` more in every partition, then a barrier; the debt there.
  int64_t Step(int64_t records) {
    for (const DueBucket& due : on_the_way_) {
      schedule_.NoteSaved({due.lease, due.bucket, due.offset});
    }
    int64_t debt = 0;
    for (SnapshotSchedule::Position& position : positions_) {
      position.next_offset += records;
      debt += schedule_.Debt(*position.lease, position.next_offset);
    }
    on_the_way_ = schedule_.TakeDue(positions_, 0);
    return debt;
  }

 private:
  SnapshotSchedule schedule_;
  std::vector<SnapshotSchedule::Position> positions_;
  std::vector<DueBucket> on_the_way_;
};

// The measured speed of replay has fallen: the debt must not wait for periods of the old length.
TEST(SnapshotScheduleTest, ASmallerBudgetIsKeptWithinFewBarriers) {
  Barriers barriers({.buckets = 64, .max_replay_records = 640'000}, 2);
  for (int barrier = 0; barrier < 2'000; ++barrier) ASSERT_LE(barriers.Step(500), 640'000);
  constexpr int64_t kBudget = 64'000;
  barriers.schedule().set_max_replay_records(kBudget);
  for (int barrier = 0; barrier < 16; ++barrier) barriers.Step(500);
  for (int barrier = 0; barrier < 2'000; ++barrier) {
    ASSERT_LE(barriers.Step(500), kBudget) << "at barrier " << barrier;
  }
}

// Many partitions and a budget of few barriers: more copies per barrier than usual are needed.
TEST(SnapshotScheduleTest, TheDebtDoesNotStayAboveABudgetThatNeedsManyCopiesPerBarrier) {
  constexpr int64_t kBudget = 60'000;
  Barriers barriers({.buckets = 64, .max_replay_records = kBudget}, 24);
  for (int barrier = 0; barrier < 50; ++barrier) barriers.Step(50);
  for (int barrier = 0; barrier < 2'000; ++barrier) {
    ASSERT_LE(barriers.Step(50), kBudget) << "at barrier " << barrier;
  }
}

}  // namespace
}  // namespace caracal::pipeline
