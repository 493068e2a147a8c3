#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "pipeline/kafka/handles.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/source/join_watch.h"

namespace caracal::pipeline {

/// Commits offsets as a member of the consumer group.
///
/// A commit that crosses a rebalance may lose the member its whole assignment (see JoinWatch), so
/// none is sent while the member joins or gives partitions up. The first one after a heartbeat
/// follows a question to the coordinator, whose answer comes behind a join that the heartbeat may
/// have caused. Threads: Commit and Committed on any thread, the rest on the ingest thread.
class GroupOffsets : public OffsetStore {
 public:
  /// Both must outlive this.
  GroupOffsets(rd_kafka_t* client, JoinWatch& joins) : client_(client), joins_(joins) {}

  /// Partitions are being given up: from the callback until the client has been told.
  void SetRevoking(bool revoking) { revoking_.store(revoking, std::memory_order_release); }
  bool rebalancing() const { return revoking_.load(std::memory_order_acquire) || joins_.joining(); }

  /// The group is being left: a Commit that waits for its answer, and any later one, gives up.
  void Close() { closing_.store(true, std::memory_order_release); }

  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override;
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                         absl::Duration max_wait) override;

 private:
  /// Hands the commit to the client; why not, if it does not.
  std::optional<OffsetCommitResult> Send(const rd_kafka_topic_partition_list_t* offsets,
                                         rd_kafka_queue_t* answers);
  /// Until the coordinator has answered everything that was sent to it before.
  rd_kafka_resp_err_t AwaitCoordinator(const rd_kafka_topic_partition_t& any);

  rd_kafka_t* const client_;
  JoinWatch& joins_;
  std::atomic<bool> revoking_{false};
  std::atomic<bool> closing_{false};
};

}  // namespace caracal::pipeline
