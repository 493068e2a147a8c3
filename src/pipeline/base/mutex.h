#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace caracal::pipeline {

/// A mutex that clang's thread safety analysis knows and ThreadSanitizer sees through, which a
/// prebuilt Mutex is not. Waits name the condition they wait for: whoever unlocks asks it and wakes
/// the waiters for whom it holds, so no notification can be forgotten and nobody is woken for
/// nothing. (The ingest thread passes such mutexes thousands of times a second.)
///
/// For cold paths: hand-overs once per epoch or partition. Any thread; not recursive. Conditions
/// are short, touch what the mutex guards, and may be asked on any thread that holds it.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    WakeWaiters();
    mutex_.unlock();
  }

  /// Gives the mutex away until `condition()` holds; it is asked with the mutex held.
  template <typename Condition>
  void Await(Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    AwaitUntil(condition, [](std::condition_variable& changed, std::unique_lock<std::mutex>& lock) {
      changed.wait(lock);
      return true;
    });
  }

  /// Await for at most `timeout`; whether the condition holds.
  template <typename Condition>
  bool AwaitFor(absl::Duration timeout, Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
    return AwaitUntil(condition, [deadline](std::condition_variable& changed,
                                            std::unique_lock<std::mutex>& lock) {
      return changed.wait_until(lock, deadline) == std::cv_status::no_timeout;
    });
  }

 private:
  /// A thread that waits; lies on its stack.
  struct Waiter {
    void* condition;
    bool (*holds)(void* condition);
    std::condition_variable changed;
  };

  /// With the mutex held: a waiter that is woken may end its wait, and be gone, once it is not.
  void WakeWaiters() {
    for (Waiter* waiter : waiters_) {
      if (waiter->holds(waiter->condition)) waiter->changed.notify_one();
    }
  }

  template <typename Condition, typename Wait>
  bool AwaitUntil(Condition& condition, Wait wait) {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    // What this thread has changed so far is news to the others, too.
    WakeWaiters();
    Waiter waiter = {
        &condition, [](void* asked) { return (*static_cast<Condition*>(asked))(); }, {}};
    waiters_.push_back(&waiter);
    bool in_time = true;
    while (!condition() && in_time) in_time = wait(waiter.changed, lock);
    std::erase(waiters_, &waiter);
    lock.release();
    return condition();
  }

  std::mutex mutex_;
  std::vector<Waiter*> waiters_;
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
