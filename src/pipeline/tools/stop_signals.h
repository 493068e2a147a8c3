#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/mutex.h"

namespace caracal::pipeline {

/// Turns signals into calls on a thread of its own: the first INT or TERM calls `on_stop`, a second
/// one ends the process at once (exit code 128 + signal); HUP calls `on_hangup`. Make it before any
/// other thread starts: it blocks these signals for all threads that follow.
class StopSignals {
 public:
  StopSignals(std::function<void()> on_stop, std::function<void()> on_hangup);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// From its return on `on_stop` neither runs nor will: what it stops may be destroyed. Waits for
  /// a call that is under way. A second signal still ends the process. Any thread but that of the
  /// calls.
  void Disarm();

  /// The signal that asked to stop; 0 = none yet. Any thread.
  int received() const { return received_.load(std::memory_order_relaxed); }

 private:
  void Run();

  Mutex mutex_;
  std::function<void()> on_stop_ ABSL_GUARDED_BY(mutex_);
  const std::function<void()> on_hangup_;
  std::atomic<int> received_{0};
  std::thread thread_;
};

}  // namespace caracal::pipeline
