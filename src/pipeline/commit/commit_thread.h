#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/cell.h"
#include "pipeline/base/mutex.h"
#include "pipeline/commit/commit_slot.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/epoch_committer.h"
#include "pipeline/types/epoch.h"

namespace caracal::pipeline {

/// What the commit thread measures. Written by the commit thread.
struct CommitProbe {
  Counter epochs_committed;
  Counter epochs_resealed;
  Counter transactions_torn;  ///< committed in part: the engine stops with the first
  Counter alerts;
  Counter dead_letters;
  /// From the hand-over of an epoch to its commit.
  DurationHistogram commit_duration;
  /// From the database's commit of the row to the acknowledgement of its alert.
  DurationHistogram end_to_end_latency;
};

/// Runs the committer on a thread of its own, one epoch at a time: the ingest thread submits a
/// sealed epoch and later takes the result.
///
/// Threads: Submit, busy and TakeResult on the ingest thread; `on_result` is called on the commit
/// thread. Bounds: one epoch. Stopping: the epoch under way is cancelled through the committer.
class CommitThread : public CommitSlot {
 public:
  /// `committer`, `clock` must outlive this.
  CommitThread(EpochCommitter& committer, const Clock& clock, std::function<void()> on_result);
  /// Cancels what is under way and stops.
  ~CommitThread() override;
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  void Start();
  /// Requires: not busy().
  void Submit(std::shared_ptr<const SealedEpoch> epoch) override;
  /// An epoch has been submitted and its result not been taken.
  bool busy() const { return busy_; }
  std::optional<CommitResult> TakeResult() override;
  int64_t last_cpu_micros() const override { return last_cpu_micros_.value(); }
  const CommitProbe& probe() const { return probe_; }

 private:
  void Run();
  void FailStart(const absl::Status& status);
  CommitResult Commit(const SealedEpoch& epoch);
  void Count(const SealedEpoch& epoch);

  EpochCommitter& committer_;
  const Clock& clock_;
  const std::function<void()> on_result_;
  bool busy_ = false;
  std::atomic<bool> start_failed_ = false;
  CommitProbe probe_;
  Gauge last_cpu_micros_;

  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const SealedEpoch> submitted_ ABSL_GUARDED_BY(mutex_);
  std::optional<CommitResult> result_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace caracal::pipeline
