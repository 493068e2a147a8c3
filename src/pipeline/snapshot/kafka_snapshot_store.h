#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "pipeline/base/cell.h"
#include "pipeline/base/mutex.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/snapshot_writer.h"
#include "pipeline/snapshot/state_topic_writer.h"
#include "pipeline/snapshot/state_topics.h"

namespace caracal::pipeline {

/// What is counted of the copies. Written by the snapshot thread.
struct SnapshotProbe {
  Counter buckets_saved;
  Counter changes_saved;  ///< of these, changes since a whole copy
  Counter bytes_saved;    ///< of images, before compression
  Counter sets_replaced;  ///< older copies tombstoned
  Counter failures;       ///< rounds that had to be tried again
  Gauge pending_bytes;    ///< handed over and not durable yet
};

/// Writes copies of buckets to the state topics, on a thread of its own, through a plain idempotent
/// producer: the same for both delivery modes.
///
/// A set of chunks never overwrites an older one; the older ones are tombstoned when every chunk of
/// the new one is acknowledged. A broker that is slow or down delays copies and nothing else: the
/// round is tried again, and Busy() keeps the engine from making more. Copies of lapsed partitions
/// are dropped; a stale one that still arrives costs the next owner time, never correctness.
///
/// Threads: Save, TakeSaved, Busy on the ingest thread. Bounds: what a few barriers hand over, as
/// none takes copies while others are on their way (SnapshotSchedule: a quarter of what is due).
class KafkaSnapshotStore : public SnapshotStore, private StateLog {
 public:
  /// `catalogs` must outlive the store.
  static absl::StatusOr<std::unique_ptr<KafkaSnapshotStore>> Create(StateTopics topics,
                                                                    SnapshotCatalogs& catalogs);
  /// Drops what is waiting and stops.
  ~KafkaSnapshotStore() override;

  void Start();
  void Save(std::vector<BucketCopy> snapshots) override;
  std::vector<SavedBucket> TakeSaved() override;
  bool Busy() const override { return probe_.pending_bytes.value() > 0; }

  const SnapshotProbe& probe() const { return probe_; }

 private:
  KafkaSnapshotStore(StateTopics topics, SnapshotCatalogs& catalogs);

  void Run();
  void Write(BucketCopy& copy);
  // StateLog, for the writer: counts what the topics' writer had to try again.
  bool WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) override;
  bool stopping() const;

  const StateTopics topics_;
  SnapshotWriter writer_;
  SnapshotProbe probe_;
  std::unique_ptr<StateTopicWriter> topic_writer_;

  mutable Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<BucketCopy> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<SavedBucket> saved_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace caracal::pipeline
