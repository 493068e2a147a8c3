#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "agents/state/key_hash.h"
#include "pipeline/types/event_batch.h"

namespace caracal::pipeline {

/// Sorts decoded events into one batch per worker: key hash → bucket → worker. All events of a key
/// have one bucket and one worker, in arrival order.
///
/// Ingest thread only. Holds at most one batch per worker between Begin and Take.
class Router {
 public:
  /// `buckets` per partition; `workers` >= 1.
  Router(uint32_t buckets, uint32_t workers) : buckets_(buckets), batches_(workers) {}

  uint32_t buckets() const { return buckets_; }
  uint32_t WorkerOf(uint32_t bucket) const {
    return bucket % static_cast<uint32_t>(batches_.size());
  }

  /// Starts batches whose events point into `storage`; about `expected` of them will come.
  void Begin(std::shared_ptr<const EventStorage> storage, size_t expected = 0) {
    storage_ = std::move(storage);
    for (std::vector<Event>& batch : batches_) batch.reserve(expected / batches_.size());
  }
  /// Adds one event to the batch of its worker.
  void Add(const Event& event) {
    const uint32_t bucket = agents::BucketOf(event.key_hash, buckets_);
    batches_[WorkerOf(bucket)].push_back(event);
  }
  /// The batch of `worker`; empty when it got no event since Begin.
  EventBatch Take(uint32_t worker) { return {std::exchange(batches_[worker], {}), storage_}; }
  /// Ends the batches: the storage lives on in what was taken.
  void End() { storage_ = nullptr; }

 private:
  const uint32_t buckets_;
  std::vector<std::vector<Event>> batches_;
  std::shared_ptr<const EventStorage> storage_;
};

}  // namespace caracal::pipeline
