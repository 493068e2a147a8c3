#pragma once

#include <atomic>
#include <cstdint>

#include "pipeline/kafka/handles.h"
#include "pipeline/ports/offset_store.h"

namespace caracal::pipeline {

/// Commits offsets as a member of the consumer group.
///
/// A commit that crosses a rebalance may lose the member its whole assignment (librdkafka 2.0.2
/// issue 4059), so none is sent from the first sign of a rebalance until the assignment has
/// settled: the source says which it is. Threads: Commit on any thread, the setters on the ingest
/// thread.
class GroupOffsets : public OffsetStore {
 public:
  /// `client` must outlive this.
  explicit GroupOffsets(rd_kafka_t* client) : client_(client) {}

  void SetRebalancing(bool rebalancing) {
    rebalancing_.store(rebalancing, std::memory_order_release);
  }
  bool rebalancing() const { return rebalancing_.load(std::memory_order_acquire); }

  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override;
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases) override;

 private:
  rd_kafka_t* const client_;
  std::atomic<bool> rebalancing_{false};
};

}  // namespace caracal::pipeline
