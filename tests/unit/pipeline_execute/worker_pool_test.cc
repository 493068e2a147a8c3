#include "pipeline/execute/worker_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/mutex.h"
#include "tests/unit/pipeline_execute/judged_stream.h"

namespace caracal::pipeline {
namespace {

using Payment = JudgedStream::Payment;

/// Counts events of other threads and lets the test wait for them.
class Bell {
 public:
  void Ring() {
    MutexLock lock(&mutex_);
    rung_ += 1;
  }
  void Await(int count) {
    MutexLock lock(&mutex_);
    mutex_.Await([this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return rung_ >= count; });
  }

 private:
  Mutex mutex_;
  int rung_ ABSL_GUARDED_BY(mutex_) = 0;
};

/// Posts, waiting for room: workers take it sooner or later.
void Post(WorkerPool& pool, uint32_t worker, WorkerMessage message) {
  while (!pool.TryPost(worker, message)) std::this_thread::yield();
}

std::vector<EpochShare> TakeAll(WorkerPool& pool) {
  std::vector<EpochShare> shares;
  EpochShare share;
  while (pool.TakeShare(share)) shares.push_back(std::move(share));
  return shares;
}

std::vector<Payment> RandomPayments(uint64_t seed, int64_t count) {
  std::mt19937_64 random(seed);
  std::vector<Payment> payments;
  for (int64_t i = 0; i < count; ++i) {
    payments.push_back({.offset = i, .account = static_cast<int64_t>(random() % 50)});
  }
  return payments;
}

/// What came out of one epoch over `payments`, in batches of `batch_size`.
struct Outcome {
  std::vector<std::string> alerts;  ///< sorted
  std::vector<agents::StateDigest> digests;
  uint64_t evaluated = 0;
};

Outcome JudgeAll(const JudgedStream& stream, uint32_t threads, size_t batch_size,
                 const std::vector<Payment>& payments) {
  Bell bell;
  WorkerPool pool({.threads = threads, .ring_capacity = 4}, stream.plans(), JudgedStream::kBuckets,
                  [&bell] { bell.Ring(); });
  pool.Start();
  const LeasePtr lease = JudgedStream::Lease(0);
  for (uint32_t w = 0; w < pool.size(); ++w) Post(pool, w, OpenPartition{lease, nullptr});
  for (size_t i = 0; i < payments.size(); i += batch_size) {
    const auto end = payments.begin() + std::min(payments.size(), i + batch_size);
    const std::vector<Payment> part(payments.begin() + i, end);
    for (uint32_t w = 0; w < pool.size(); ++w) {
      Post(pool, w, JudgedStream::Batch(lease, part, w, pool.size()));
    }
  }
  for (uint32_t w = 0; w < pool.size(); ++w) Post(pool, w, Barrier{1, {}});
  bell.Await(static_cast<int>(pool.size()));
  Outcome outcome;
  for (const EpochShare& share : TakeAll(pool)) {
    for (const OutputRecord& output : share.outputs) outcome.alerts.push_back(output.value);
    outcome.evaluated += share.streams[0].counts.evaluated;
  }
  std::sort(outcome.alerts.begin(), outcome.alerts.end());
  outcome.digests = pool.BucketDigests(*lease);
  return outcome;
}

TEST(WorkerPoolTest, ResultsDependNeitherOnThreadsNorOnBatches) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  const JudgedStream stream;
  const std::vector<Payment> payments = RandomPayments(seed, 600);
  const Outcome inlined = JudgeAll(stream, 0, 600, payments);
  EXPECT_EQ(inlined.evaluated, 600U);
  EXPECT_GT(inlined.alerts.size(), 100U);
  for (const uint32_t threads : {1U, 2U, 3U}) {
    for (const size_t batch_size : {size_t{1}, size_t{7}, size_t{600}}) {
      SCOPED_TRACE(fmt::format("{} threads, batches of {}", threads, batch_size));
      const Outcome threaded = JudgeAll(stream, threads, batch_size, payments);
      EXPECT_EQ(threaded.alerts, inlined.alerts);
      EXPECT_EQ(threaded.digests, inlined.digests);
      EXPECT_EQ(threaded.evaluated, inlined.evaluated);
    }
  }
}

TEST(WorkerPoolTest, WithoutThreadsAMessageIsHandledWhenItIsPosted) {
  const JudgedStream stream;
  Bell bell;
  WorkerPool pool({.threads = 0}, stream.plans(), JudgedStream::kBuckets, [&bell] { bell.Ring(); });
  pool.Start();
  EXPECT_EQ(pool.size(), 1U);
  EXPECT_EQ(pool.capacity(), 0U);
  const LeasePtr lease = JudgedStream::Lease(0);
  Post(pool, 0, OpenPartition{lease, nullptr});
  Post(pool, 0, JudgedStream::Batch(lease, RandomPayments(1, 300)));
  EXPECT_EQ(pool.queued(), 0U);
  EXPECT_GT(pool.output_bytes(), 0U);
  Post(pool, 0, Barrier{9, {}});
  const std::vector<EpochShare> shares = TakeAll(pool);
  ASSERT_EQ(shares.size(), 1U);
  EXPECT_EQ(shares[0].epoch, 9U);
  EXPECT_EQ(pool.output_bytes(), 0U);
}

TEST(WorkerPoolTest, AFullRingRefusesAndLeavesTheMessageAlone) {
  const JudgedStream stream;
  Bell blocked;
  Bell go_on;
  WorkerPool pool({.threads = 1, .ring_capacity = 2}, stream.plans(), JudgedStream::kBuckets, [&] {
    blocked.Ring();
    go_on.Await(1);
  });
  pool.Start();
  const LeasePtr lease = JudgedStream::Lease(0);
  Post(pool, 0, OpenPartition{lease, nullptr});
  Post(pool, 0, Barrier{1, {}});
  blocked.Await(1);  // the worker hands its share over and stays there

  const std::vector<Payment> payments = RandomPayments(1, 3);
  for (int i = 0; i < 2; ++i) {
    WorkerMessage message = JudgedStream::Batch(lease, payments);
    EXPECT_TRUE(pool.TryPost(0, message));
  }
  EXPECT_EQ(pool.queued(), 2U);
  EXPECT_EQ(pool.queued(), pool.capacity());
  WorkerMessage refused = JudgedStream::Batch(lease, payments);
  EXPECT_FALSE(pool.TryPost(0, refused));
  EXPECT_EQ(std::get<EventBatch>(refused).events.size(), 3U);
  go_on.Ring();
  Post(pool, 0, std::move(refused));
}

TEST(WorkerPoolTest, DestructionFinishesWhatWasPostedAndReleasesItsBytes) {
  const JudgedStream stream;
  std::weak_ptr<const EventStorage> watched;
  std::atomic<int> shares = 0;
  {
    WorkerPool pool({.threads = 2}, stream.plans(), JudgedStream::kBuckets, [&] { shares += 1; });
    pool.Start();
    const LeasePtr lease = JudgedStream::Lease(0);
    for (uint32_t w = 0; w < pool.size(); ++w) {
      Post(pool, w, OpenPartition{lease, nullptr});
      EventBatch batch = JudgedStream::Batch(lease, RandomPayments(1, 200), w, pool.size());
      watched = batch.storage;
      Post(pool, w, std::move(batch));
      Post(pool, w, Barrier{1, {}});
    }
  }
  EXPECT_EQ(shares, 2);
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace caracal::pipeline
