#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace caracal::pipeline {

/// A mutex that clang's thread safety analysis knows and ThreadSanitizer sees through, which a
/// prebuilt Mutex is not. Waits name the condition they wait for: whoever unlocks wakes the
/// waiters, so no notification can be forgotten.
///
/// For cold paths: hand-overs once per epoch or partition. Any thread; not recursive.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    const bool wake = waiters_ > 0;
    mutex_.unlock();
    if (wake) changed_.notify_all();
  }

  /// Gives the mutex away until `condition()` holds; it is asked with the mutex held.
  template <typename Condition>
  void Await(Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    AwaitUntil(condition, [this](std::unique_lock<std::mutex>& lock) {
      changed_.wait(lock);
      return true;
    });
  }

  /// Await for at most `timeout`; whether the condition holds.
  template <typename Condition>
  bool AwaitFor(absl::Duration timeout, Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
    return AwaitUntil(condition, [this, deadline](std::unique_lock<std::mutex>& lock) {
      return changed_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    });
  }

 private:
  template <typename Condition, typename Wait>
  bool AwaitUntil(Condition& condition, Wait wait) {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    // What this thread has changed so far is news to the others, too.
    if (waiters_ > 0) changed_.notify_all();
    ++waiters_;
    bool in_time = true;
    while (!condition() && in_time) in_time = wait(lock);
    --waiters_;
    lock.release();
    return condition();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t waiters_ = 0;
};

/// Holds a Mutex for the length of a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

}  // namespace caracal::pipeline
