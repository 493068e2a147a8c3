#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/source/source_options.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// A partition whose start position is known, or why it cannot be.
struct RestoredPartition {
  LeasePtr lease;
  absl::StatusOr<StartPosition> position;
};

/// Finds where newly assigned partitions start, on a thread of its own, so that rebalance callbacks
/// return at once: committed offset and its metadata, the start policy for a fresh partition (whose
/// first offset is committed before its first record is processed), and what retention has left.
///
/// Threads: Submit and Take on the ingest thread; `on_ready` is called on the restore thread.
/// Bounds: one request per lease. Failures: what may pass is retried for as long as the lease
/// lives; what will not (expired offset, foreign metadata, no permission) is the partition's
/// status.
class PartitionRestorer {
 public:
  /// `client`, `offsets` and `on_ready` must outlive the restorer.
  PartitionRestorer(rd_kafka_t* client, OffsetStore& offsets, const SourceOptions& options,
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
  struct Watermarks {
    int64_t low = 0;
    int64_t high = 0;
  };

  /// What is known of one lease while its request is served.
  struct Request {
    LeasePtr lease = nullptr;
    int64_t committed = -1;  ///< -1 = the group has never committed
    std::string metadata = {};
  };

  void Run();
  bool stopping() const;
  /// False when the wait was cut short by the destructor.
  bool Backoff();
  /// Tries again what may pass; requests of lapsed leases are dropped.
  void Serve(std::vector<Request> requests);
  void Finish(const LeasePtr& lease, absl::StatusOr<StartPosition> position);
  /// One round trip for all of them; those without an offset are asked for again.
  absl::Status ReadCommitted(std::vector<Request>& requests);
  absl::StatusOr<StartPosition> Locate(const Request& request);
  absl::StatusOr<StartPosition> StartFresh(const LeasePtr& lease, const Watermarks& marks);
  absl::StatusOr<StartPosition> Continue(const Request& request, const Watermarks& marks);
  absl::StatusOr<Watermarks> QueryWatermarks(const LeasePtr& lease);
  absl::StatusOr<int64_t> ResolveStart(const LeasePtr& lease, const StartPoint& point,
                                       const Watermarks& marks);

  rd_kafka_t* const client_;
  OffsetStore& offsets_;
  const SourceOptions& options_;
  const std::function<void()> on_ready_;

  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<LeasePtr> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<RestoredPartition> finished_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace caracal::pipeline
