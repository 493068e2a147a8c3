#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "pipeline/base/mutex.h"

namespace caracal::pipeline {

/// Waits between attempts, longer each time: `first`, then twice as long, up to `longest`.
///
/// Wait, Reset and next on one thread, Cancel on any. A cancelled pause stays so.
class RetryPause {
 public:
  explicit RetryPause(absl::Duration first, absl::Duration longest = absl::Seconds(1))
      : first_(first), longest_(longest), next_(first) {}

  /// Waits. False when it was cancelled, before or meanwhile.
  [[nodiscard]] bool Wait();
  /// An attempt succeeded: the next wait is `first` again.
  void Reset() { next_ = first_; }
  /// What the next Wait waits.
  absl::Duration next() const { return next_; }
  void Cancel();

 private:
  const absl::Duration first_;
  const absl::Duration longest_;
  absl::Duration next_;

  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace caracal::pipeline
