#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/base/mutex.h"
#include "pipeline/commit/epoch_coordinator.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/engine/engine_probe.h"
#include "pipeline/engine/reject_guard.h"
#include "pipeline/engine/replay_meter.h"
#include "pipeline/execute/worker_pool.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/event_source.h"
#include "pipeline/ports/output_encoder.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/route/router.h"
#include "pipeline/snapshot/snapshot_schedule.h"

namespace caracal::pipeline {

struct IngestOptions {
  uint32_t buckets = 64;
  /// dead_letters.on_storm: pause (true) or continue.
  bool pause_on_storm = true;
  /// The longest wait of one step.
  absl::Duration max_wait = absl::Milliseconds(100);
  /// How long the partitions of this member may take to be replayed after a move, all together.
  absl::Duration max_recovery = absl::Seconds(10);
  /// What replay is taken to manage until it has been measured, records per second.
  int64_t assumed_replay_rate = 300'000;
};

/// What the ingest thread reads a stream with.
struct StreamInput {
  std::unique_ptr<Decoder> decoder;
  std::shared_ptr<const DeadLetterEncoder> dead_letters;
};

/// One partition as /status shows it.
struct PartitionStatus {
  std::string topic;
  int32_t partition = 0;
  int64_t next_offset = 0;
  int64_t committed_offset = 0;
  int64_t replay_until = 0;
  bool replaying = false;
  /// Of the replay: 0 to 100, and seconds left; -1 = not known yet.
  int64_t replay_percent = 100;
  int64_t replay_eta_seconds = 0;
  bool paused = false;
  bool state_gap = false;
  /// Records a new owner would have to replay.
  int64_t replay_debt = 0;
  /// The last committed epoch that moved it; 0 = none.
  uint64_t epoch = 0;
  /// At the last barrier; evictions since it was opened.
  int64_t state_keys = 0;
  int64_t state_bytes = 0;
  int64_t state_evictions = 0;
  /// Identity of the rules in effect, and the offset at which they took effect.
  std::string rules;
  int64_t rules_since = 0;
};

/// The loop every event passes: poll → decode → route → workers; shares and results of epochs come
/// back and are sealed and committed. It holds the stages together and owns none of their threads.
///
/// Threads: everything on the ingest thread, except Partitions(), RequestResume() and the probe.
/// Bounds: see EpochOptions and WorkerPoolOptions; when something is full the loop keeps polling
/// the group and takes no records.
class Ingest {
 public:
  /// References must outlive this. `streams` by stream index. `snapshots` null = the state is not
  /// saved.
  Ingest(IngestOptions options, EventSource& source, WorkerPool& workers, EpochCoordinator& epochs,
         SnapshotStore* snapshots, std::vector<StreamInput> streams, const Clock& clock,
         EngineProbe& probe);

  /// One turn: epochs, at most one poll, its records. An error is final.
  absl::Status Step();
  /// Goes on as before until the copies of state are as of now, so that the next owners of the
  /// partitions have little to replay; for `timeout` at most.
  absl::Status HandOver(absl::Duration timeout);
  /// Stops taking records, commits what has been taken. OK when everything is committed;
  /// DeadlineExceeded when it is not within `timeout` (the rest is done again by the next owner).
  absl::Status Drain(absl::Duration timeout);

  /// Snapshot of the open partitions, at most a second old. Any thread.
  std::vector<PartitionStatus> Partitions() const;
  /// Asks for a partition paused by a reject storm to go on; partition -1 = all of the topic.
  /// NotFound when no such partition is paused. Any thread.
  absl::Status RequestResume(const std::string& topic, int32_t partition);

 private:
  struct OpenedPartition {
    LeasePtr lease;
    StartPosition position;
    int64_t next_offset = 0;
    bool paused = false;
    int64_t measured_offset = 0;  ///< where it stood when the speed was measured last
    StateSize state;              ///< at the last barrier
    StateSize state_to_be;        ///< of the shares that have come for the next one
    uint64_t evictions = 0;       ///< since it was opened
    RejectGuard guard;
    uint64_t key_checks = 0;  ///< transactions seen, to sample their record keys
  };

  absl::Status Pump();
  absl::Status Poll(absl::Duration wait, bool want_records);
  absl::Status CloseEpoch();
  /// The buckets to be copied at the barrier.
  std::vector<SnapshotSchedule::Position> LivePositions() const;
  std::vector<DueBucket> TakeDueBuckets();
  /// Buckets are to be copied, and no epoch will bring a barrier.
  bool CopiesAreDue() const;
  void SaveSnapshots();
  /// An error when an agent broke: its epoch must not be committed.
  absl::Status TakeShares();
  void Publish(const EpochShare& share);
  void AddState(const PartitionStateSize& entry);
  absl::Status ApplyChanges();
  absl::Status Open(const PartitionOpened& opened);
  absl::Status Close(const PartitionRevoked& revoked);
  void ReleaseRevoked();
  absl::Status Dispatch(std::shared_ptr<RecordBatch> records);
  absl::Status DecodeAll(const RecordBatch& records, EventStorage& storage);
  absl::Status DecodeRun(const RecordBatch& records, size_t begin, size_t end,
                         OpenedPartition& partition, Arena& arena);
  /// Counts what a sample of the partition's transactions tells about keys and delays.
  void Sample(const RawRecord& record, const Event& event, OpenedPartition& partition);
  absl::Status Reject(const RecordBatch& records, size_t index, const DecodeResult& result,
                      OpenedPartition& partition);
  absl::Status Post(uint32_t worker, WorkerMessage message);
  absl::Status PostAll(const WorkerMessage& message);
  absl::Duration WaitTime() const;
  void UpdateStatus(bool force);
  PartitionStatus StatusOf(const OpenedPartition& partition) const;
  /// Looks at how far replays have come since the last look; tells now and then.
  void MeasureReplay(int64_t now_us);
  void ServeResumeRequests();

  const IngestOptions options_;
  EventSource& source_;
  WorkerPool& workers_;
  EpochCoordinator& epochs_;
  SnapshotStore* const snapshots_;
  SnapshotSchedule schedule_;
  std::vector<StreamInput> streams_;
  const Clock& clock_;
  EngineProbe& probe_;
  Router router_;

  PollResult polled_;
  std::vector<PartitionChange> changes_;                      ///< taken from polls, not applied yet
  std::vector<std::unique_ptr<OpenedPartition>> partitions_;  ///< by lease slot
  std::vector<LeasePtr> revoked_;                             ///< closed, not yet released
  std::vector<StreamCounts> open_counts_;                     ///< of the open epoch, by stream
  std::vector<StreamCounts> closed_counts_;                   ///< of the closed one
  std::vector<StateSize> state_sizes_;
  uint32_t shares_missing_ = 0;
  bool lagging_ = false;
  bool draining_ = false;
  int64_t status_updated_us_ = 0;
  ReplayMeter replay_meter_;
  int64_t busy_since_look_us_ = -1;  ///< the last look; -1 = there was not enough to do then
  int64_t replay_looked_us_ = 0;
  int64_t replay_told_us_ = 0;
  int64_t replay_left_ = 0;  ///< records, over all partitions

  mutable Mutex mutex_;
  std::vector<PartitionStatus> status_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, int32_t>> resume_requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caracal::pipeline
