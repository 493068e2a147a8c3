#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/base/cell.h"
#include "pipeline/commit/commit_slot.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/event_source.h"
#include "pipeline/types/epoch.h"
#include "pipeline/types/epoch_share.h"
#include "pipeline/types/offset_metadata.h"

namespace caracal::pipeline {

struct EpochOptions {
  /// Offsets alone are committed at most this often; under load epochs last this long.
  int64_t commit_interval_us = 250'000;
  /// Dispatching stops when the open epoch holds this much.
  size_t max_pending_bytes = size_t{8} << 20U;
  uint64_t max_records = 1'000'000;
  /// Committing may cost at most 1/this of one core while lag is small.
  int64_t cost_share = 5;
  /// From a commit to the next at least: the broker ends a transaction after it has answered the
  /// commit, and puts one that begins meanwhile off for longer than this.
  int64_t min_pause_us = 0;
  /// From a close to the next at least, while lag is small: most of what a commit costs is spent by
  /// the client's own threads, which cost_share does not see.
  int64_t min_interval_us = 0;
  uint32_t workers = 1;
};

/// Cuts the flow of records into epochs and sees each through: open → barrier → complete → sealed →
/// committed. One epoch collects records, at most one waits for the workers' shares or for its
/// commit.
///
/// Group commit: an epoch is closed as soon as the one before is committed and there is something
/// to commit, alerts at once, offsets alone after commit_interval; so an idle engine commits an
/// alert at once and a busy one commits in bulk.
///
/// Sealing drops the partitions whose lease has lapsed: their alerts, dead letters and offsets. It
/// happens on the ingest thread, which serves the rebalances, so nothing can lapse while it
/// happens.
///
/// Threads: ingest thread only.
class EpochCoordinator {
 public:
  /// All must outlive this.
  EpochCoordinator(EpochOptions options, EventSource& source, CommitSlot& commit_slot,
                   const Clock& clock);

  void OpenPartition(const LeasePtr& lease, const StartPosition& position);
  void ClosePartition(const LeasePtr& lease);

  /// Records of the partition below `next_offset` have been dispatched, skipped or rejected; `last`
  /// is the last of them.
  void Advance(const PartitionLease& lease, int64_t next_offset, uint64_t records,
               const RecordMark& last = {});
  /// An output of the open epoch (dead letters; alerts come with the workers' shares).
  void AddOutput(OutputRecord output);
  /// A worker has told that it holds `bytes` of outputs of the open epoch.
  void NoteWorkerOutput(size_t bytes) { worker_output_bytes_ = bytes; }

  /// True when the open epoch is full: stop dispatching, keep serving the group.
  bool Full() const;
  /// True when the open epoch should be closed now. `lagging`: the last poll came back full.
  bool ShouldClose(bool lagging) const;
  /// Microseconds until ShouldClose may become true by the passing of time alone.
  int64_t MicrosUntilDue() const;
  /// Closes the open epoch and returns its id: the barrier every worker must pass.
  uint64_t Close();
  /// Copies of buckets whose offsets are committed, since the last call; those of lapsed partitions
  /// are dropped.
  std::vector<BucketCopy> TakeSnapshots() { return std::exchange(snapshots_, {}); }
  /// A worker has passed the barrier of the closed epoch.
  void AddShare(EpochShare share);
  /// Seals and submits what is complete, takes results. An error is final.
  absl::Status Serve();

  /// No record is waiting for a commit.
  bool Idle() const;
  /// Something is on its way to the commit thread or there.
  bool Committing() const { return closed_.has_value(); }
  /// True when no epoch on its way contains the partition.
  bool Contains(const LeasePtr& lease) const;

  size_t pending_bytes() const { return open_.output_bytes + worker_output_bytes_; }
  /// The offset committed last, for /status and metrics; -1 when none.
  int64_t CommittedOffset(const PartitionLease& lease) const;
  /// The last committed epoch that moved the partition; 0 when none.
  uint64_t CommittedEpoch(const PartitionLease& lease) const;

 private:
  struct Progress {
    LeasePtr lease;
    int64_t next_offset = 0;       ///< of the open epoch
    int64_t committed_offset = 0;  ///< as far as we know
    uint64_t committed_epoch = 0;
    OffsetMetadata metadata;
    bool touched = false;  ///< by the open epoch
  };
  struct OpenEpoch {
    uint64_t id = 1;
    uint64_t records = 0;
    size_t output_bytes = 0;
    std::vector<OutputRecord> outputs;
    int64_t opened_us = 0;
  };
  /// Closed: waits for shares, then for its commit.
  struct ClosedEpoch {
    uint64_t id = 0;
    uint32_t missing_shares = 0;
    std::vector<EpochPartition> partitions;
    std::vector<OutputRecord> outputs;
    std::vector<BucketCopy> snapshots;
    /// Null until sealed; then it holds the partitions and outputs.
    std::shared_ptr<const SealedEpoch> sealed;
    bool submitted = false;
  };

  /// How long after the last close alerts may close the next epoch.
  int64_t MicrosUntilAlertsMayClose() const;
  void Submit();
  void Finish(const CommitResult& result);
  /// The closed epoch has ended: committed, or nothing of it was left to commit.
  void EndClosed();

  const EpochOptions options_;
  EventSource& source_;
  CommitSlot& commit_slot_;
  const Clock& clock_;
  std::vector<Progress> progress_;  ///< by lease slot
  OpenEpoch open_;
  std::optional<ClosedEpoch> closed_;
  std::vector<BucketCopy> snapshots_;  ///< of ended epochs
  size_t worker_output_bytes_ = 0;
  bool progressed_ = false;    ///< the open epoch has moved an offset
  int64_t last_close_us_ = 0;  ///< when the last epoch was closed
  int64_t last_commit_us_ = 0;
};

}  // namespace caracal::pipeline
