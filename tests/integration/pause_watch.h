#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "pipeline/base/mutex.h"

namespace caracal::pipeline {

/// Measures for how long this process did not run at all: other programs, or a virtual machine that
/// stood still. A thread of its own wakes up twenty times a second and notes how late it is. Any
/// thread asks.
class PauseWatch {
 public:
  PauseWatch();
  ~PauseWatch();
  PauseWatch(const PauseWatch&) = delete;
  PauseWatch& operator=(const PauseWatch&) = delete;

  /// The longest pause since construction.
  absl::Duration longest() const;

 private:
  void Run();

  mutable Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration longest_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace caracal::pipeline
