#include "pipeline/execute/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace

WorkerPool::WorkerPool(WorkerPoolOptions options, std::vector<StreamPlan> plans, uint32_t buckets,
                       std::function<void()> on_share)
    : options_(options), buckets_(buckets), on_share_(std::move(on_share)) {
  const uint32_t workers = std::max<uint32_t>(1, options_.threads);
  for (uint32_t i = 0; i < workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(plans, buckets, i, workers));
    lanes_.push_back(std::make_unique<Lane>(options_.ring_capacity));
  }
}

WorkerPool::~WorkerPool() {
  for (uint32_t i = 0; i < size(); ++i) {
    if (!lanes_[i]->thread.joinable()) continue;
    WorkerMessage stop = Stop{};
    while (!lanes_[i]->ring.TryPush(stop)) std::this_thread::yield();
    lanes_[i]->thread.join();
  }
}

void WorkerPool::Start() {
  for (uint32_t i = 0; i < options_.threads; ++i) {
    lanes_[i]->thread = std::thread([this, i] { Run(*workers_[i], *lanes_[i]); });
    pthread_setname_np(lanes_[i]->thread.native_handle(), "caracal-worker");
  }
}

void WorkerPool::Run(Worker& worker, Lane& lane) {
  while (true) {
    WorkerMessage message;
    if (!lane.ring.TryPop(message)) {
      lane.ring.WaitNotEmpty();
      continue;
    }
    if (!Handle(worker, lane.shares, message)) return;
  }
}

bool WorkerPool::Handle(Worker& worker, SpscRing<EpochShare>& shares, WorkerMessage& message) {
  return std::visit(Overloaded{
                        [&](EventBatch& batch) {
                          worker.Handle(batch);
                          return true;
                        },
                        [&](const OpenPartition& open) {
                          worker.Handle(open);
                          return true;
                        },
                        [&](const ClosePartition& close) {
                          worker.Handle(close);
                          return true;
                        },
                        [&](const Barrier& barrier) {
                          EpochShare share = worker.Handle(barrier);
                          CHECK(shares.TryPush(share));
                          on_share_();
                          return true;
                        },
                        [](const Stop&) { return false; },
                    },
                    message);
}

bool WorkerPool::TryPost(uint32_t worker, WorkerMessage& message) {
  Lane& lane = *lanes_[worker];
  if (options_.threads > 0) return lane.ring.TryPush(message);
  CHECK(Handle(*workers_[worker], lane.shares, message));
  return true;
}

bool WorkerPool::TakeShare(EpochShare& share) {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [&share](const auto& lane) { return lane->shares.TryPop(share); });
}

size_t WorkerPool::output_bytes() const {
  size_t bytes = 0;
  for (const auto& worker : workers_) bytes += worker->output_bytes();
  return bytes;
}

size_t WorkerPool::queued() const {
  size_t queued = 0;
  for (const auto& lane : lanes_) queued += lane->ring.size();
  return queued;
}

std::vector<agents::StateDigest> WorkerPool::BucketDigests(const PartitionLease& lease) const {
  std::vector<agents::StateDigest> digests(buckets_);
  for (const auto& worker : workers_) {
    const std::vector<agents::StateDigest> own = worker->BucketDigests(lease);
    for (size_t bucket = worker->index(); bucket < buckets_; bucket += workers_.size()) {
      digests[bucket] = own[bucket];
    }
  }
  return digests;
}

}  // namespace caracal::pipeline
