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
/// Partitions are located together, a few at a time, and each opens when it is known where it
/// starts. One that has no stable offset yet, or makes the others wait twice, is asked for alone
/// from then on; what comes new goes first.
///
/// Threads: Submit and Take on the ingest thread, Restoring on any; `on_ready` is called on the
/// restore thread.
/// Bounds: one request per lease, `kTogetherMax` located together. Failures: what may pass is
/// retried for as long as the lease lives; what will not (expired offset, foreign metadata, no
/// permission) is the partition's status.
class PartitionRestorer {
 public:
  static constexpr size_t kTogetherMax = 16;

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
  /// What was submitted and is neither finished nor taken away.
  std::vector<LeasePtr> Restoring() const;

 private:
  /// What is known of one lease while its request is served.
  struct Request {
    LeasePtr lease = nullptr;
    int unstable = 0;        ///< times there was no stable offset
    int failed = 0;          ///< times it, or all that were located with it, could not be
    int reads = 0;           ///< of the committed offset, since it was last tried
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
  bool HasNew() const;
  /// False when the wait was cut short by the destructor.
  bool Backoff();
  /// Adds what was submitted: waits for it when there is nothing else to do, a little when
  /// something is to be tried again. False = stop.
  bool TakeNew(Requests& requests, bool again);
  /// Locates some of them; those that have to be tried again stay: true = there are some.
  bool Serve(Requests& requests);
  /// The next ones that have not failed, else those that turn out to have a stable offset.
  Requests TakeBatch(Requests& requests);
  Requests TakeStable(Requests& requests);
  /// Finishes those that are located; the others go back: true = there are some.
  bool Settle(Requests batch, Requests& requests);
  /// Fills every position: a fixed number of round trips, however many partitions there are. An
  /// error is that of all of them.
  absl::Status Locate(Requests& requests);
  void Finish(Request request);
  /// Those without an offset are asked for again, each as often as it takes.
  absl::Status ReadCommitted(Requests& requests);
  /// One round trip for all that have no offset yet.
  absl::Status AskCommitted(Requests& requests, absl::Duration max_wait);
  absl::Status ReadLimits(const std::vector<Request*>& requests);
  /// Looks again at the last record below each committed offset: another one in its place, or none,
  /// means that the topic was re-created or truncated, unless retention has taken it meanwhile:
  /// then it is looked at anew, with where the log begins now.
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
  std::vector<LeasePtr> unfinished_ ABSL_GUARDED_BY(mutex_);  ///< but for lapsed ones
  std::vector<RestoredPartition> finished_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace caracal::pipeline
