#include "pipeline/commit/retry_pause.h"

#include <algorithm>

namespace caracal::pipeline {

bool RetryPause::Wait() {
  const absl::Duration wait = next_;
  next_ = std::min(2 * next_, longest_);
  MutexLock lock(&mutex_);
  return !mutex_.AwaitFor(wait,
                          [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return cancelled_; });
}

void RetryPause::Cancel() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
}

}  // namespace caracal::pipeline
