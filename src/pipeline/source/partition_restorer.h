#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/base/mutex.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/kafka/log_limits.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/ports/record_reader.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/source/source_options.h"
#include "pipeline/source/source_probe.h"
#include "pipeline/source/start_position.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// A partition whose start position is known, or why it cannot be.
struct RestoredPartition {
  LeasePtr lease;
  absl::StatusOr<StartPosition> position;
  std::shared_ptr<const RestoredState> state;
};

/// Finds where newly assigned partitions start, on a thread of its own, so that rebalance callbacks
/// return at once: committed offset and its metadata, the start policy for a fresh partition (whose
/// first offset is committed before its first record is processed), the newest copies of its state
/// at or below the committed offset, and what retention has left. It is replayed from the oldest of
/// these copies, or from the first activation where a bucket has none.
///
/// Where the group has recorded other rules, an activation of these at the committed offset is
/// recorded first, text and offset: states that both know go on, the others begin there.
///
/// Threads: Submit and Take on the ingest thread; `on_ready` is called on the restore thread.
/// Bounds: one request per lease. Failures: what may pass is retried for as long as the lease
/// lives; what will not (expired offset, foreign metadata, no permission) is the partition's
/// status.
class PartitionRestorer {
 public:
  /// All must outlive the restorer; `snapshots` null = the state is always rebuilt by replay, and
  /// begins anew with other rules.
  PartitionRestorer(rd_kafka_t* client, OffsetStore& offsets, RecordReader& records,
                    SnapshotLoader* snapshots, const SourceOptions& options, RestorerProbe& probe,
                    std::function<void()> on_ready);
  /// Stops the thread; a request under way ends within one RPC timeout.
  ~PartitionRestorer();
  PartitionRestorer(const PartitionRestorer&) = delete;
  PartitionRestorer& operator=(const PartitionRestorer&) = delete;

  void Start();
  void Submit(std::vector<LeasePtr> leases);
  /// Everything finished since the last call.
  std::vector<RestoredPartition> Take();

 private:
  /// What is known of one lease while its request is served.
  struct Request {
    LeasePtr lease = nullptr;
    int64_t committed = -1;  ///< -1 = the group has never committed
    std::string metadata = {};
    LogLimits limits = {};
    /// Or why the committed offset cannot be gone on from; nothing for a fresh partition.
    absl::StatusOr<StatePlan> plan = StatePlan();
    LoadedState state = {};
    /// The answer, or why there is none yet (Unavailable: to be tried again).
    absl::StatusOr<StartPosition> position = absl::UnavailableError("not tried yet");
  };
  using Requests = std::vector<Request>;

  void Run();
  bool stopping() const;
  /// False when the wait was cut short by the destructor.
  bool Backoff();
  /// Tries again what may pass; requests of lapsed leases are dropped.
  void Serve(Requests requests);
  /// Fills every position: a fixed number of round trips, however many partitions there are. An
  /// error is that of all of them.
  absl::Status Locate(Requests& requests);
  void Finish(Request request);
  /// One round trip for all of them; those without an offset are asked for again.
  absl::Status ReadCommitted(Requests& requests);
  absl::Status ReadLimits(Requests& requests);
  /// Looks again at the last record below each committed offset: another one in its place, or none,
  /// means that the topic was re-created or truncated.
  absl::Status CheckSources(Requests& requests);
  /// What the state of each is to rest on.
  void PlanStates(Requests& requests);
  /// Reads the state of all of them; those that were never committed must have none.
  absl::Status LoadState(Requests& requests);
  absl::StatusOr<StartPosition> StartFresh(const Request& request);
  absl::StatusOr<StartPosition> Continue(const Request& request) const;
  /// Records the rules of all partitions, and commits the first offsets of fresh partitions and new
  /// activations, before any of their records is judged.
  absl::Status Record(Requests& requests);
  /// The partitions that have a position: those never committed before, or the others.
  static std::vector<LeasePtr> Located(const Requests& requests, bool fresh);
  absl::Status RecordRules(const std::vector<LeasePtr>& leases);
  void NoteRecorded(const Request& request);
  static PartitionFacts FactsOf(const Request& request);
  absl::StatusOr<int64_t> ResolveStart(const Request& request, const StartPoint& point);

  rd_kafka_t* const client_;
  OffsetStore& offsets_;
  RecordReader& records_;
  SnapshotLoader* const snapshots_;
  const SourceOptions& options_;
  RestorerProbe& probe_;
  const std::function<void()> on_ready_;

  std::set<std::pair<std::string, int32_t>> owned_before_;  ///< judged by our rules once

  mutable Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<LeasePtr> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<RestoredPartition> finished_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace caracal::pipeline
