#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "pipeline/base/spsc_ring.h"
#include "pipeline/execute/worker.h"

namespace caracal::pipeline {

struct WorkerPoolOptions {
  /// 0 = no threads: messages are handled on the calling thread, by the same code.
  uint32_t threads = 0;
  /// Messages (batches) per ring, a power of two.
  size_t ring_capacity = 64;
};

/// Runs the workers: each on a thread of its own behind a ring, or inline.
///
/// Threads: all calls on the ingest thread; `on_share` is called on worker threads when a share is
/// ready. Bounds: one ring of batches per worker; TryPost says when it is full.
class WorkerPool {
 public:
  WorkerPool(WorkerPoolOptions options, std::vector<StreamPlan> plans, uint32_t buckets,
             std::function<void()> on_share);
  /// Stops the threads after what was posted.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Start();
  /// Workers as the router and the epochs count them: at least 1, also inline.
  uint32_t size() const { return static_cast<uint32_t>(workers_.size()); }
  /// Posts one message; false when the worker's ring is full (`message` is left as it was).
  bool TryPost(uint32_t worker, WorkerMessage& message);
  /// The next share a worker has handed over, in no particular order of workers; false when there
  /// is none.
  bool TakeShare(EpochShare& share);
  /// Bytes of outputs all workers hold for the open epoch.
  size_t output_bytes() const;
  /// Batches waiting in the rings.
  size_t queued() const;
  size_t capacity() const { return options_.ring_capacity * (options_.threads == 0 ? 0 : size()); }

  /// For tests and verification, while the workers rest: digests by bucket.
  std::vector<agents::StateDigest> BucketDigests(const PartitionLease& lease) const;

 private:
  struct Lane {
    explicit Lane(size_t capacity) : ring(capacity), shares(4) {}
    SpscRing<WorkerMessage> ring;
    SpscRing<EpochShare> shares;  ///< at most one epoch is between barrier and sealing
    std::thread thread;
  };

  void Run(Worker& worker, Lane& lane);
  /// False for Stop.
  bool Handle(Worker& worker, SpscRing<EpochShare>& shares, WorkerMessage& message);

  const WorkerPoolOptions options_;
  const uint32_t buckets_;
  const std::function<void()> on_share_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Lane>> lanes_;  ///< one per worker; inline: one, without a thread
};

}  // namespace caracal::pipeline
