#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/mutex.h"
#include "pipeline/ports/epoch_committer.h"

namespace caracal::pipeline {

/// Keeps what was committed. Cork() makes commits wait until Uncork(); outcomes can be scripted one
/// by one, after which everything commits. Any thread.
class FakeCommitter : public EpochCommitter {
 public:
  /// What Start says. Set before the commit thread starts.
  absl::Status start;

  absl::Status Start() override { return start; }
  CommitResult Commit(const SealedEpoch& epoch) override {
    MutexLock lock(&mutex_);
    mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return Released(); });
    if (!scripted_.empty()) {
      CommitResult result = scripted_.front();
      scripted_.erase(scripted_.begin());
      if (result.outcome != CommitOutcome::kCommitted) return result;
    }
    if (cancelled_) return {CommitOutcome::kReseal, "cancelled"};
    epochs_.push_back(epoch);
    return {};
  }
  void Cancel() override {
    MutexLock lock(&mutex_);
    cancelled_ = true;
  }

  void Cork() {
    MutexLock lock(&mutex_);
    corked_ = true;
  }
  void Uncork() {
    MutexLock lock(&mutex_);
    corked_ = false;
  }
  void Script(CommitResult result) {
    MutexLock lock(&mutex_);
    scripted_.push_back(std::move(result));
  }
  std::vector<SealedEpoch> epochs() const {
    MutexLock lock(&mutex_);
    return epochs_;
  }
  size_t committed() const {
    MutexLock lock(&mutex_);
    return epochs_.size();
  }
  /// Blocks until at least `count` epochs are committed.
  void WaitForEpochs(size_t count) {
    MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return epochs_.size() >= count;
    };
    mutex_.Await(enough);
  }

 private:
  bool Released() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !corked_ || cancelled_; }

  mutable Mutex mutex_;
  bool corked_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<CommitResult> scripted_ ABSL_GUARDED_BY(mutex_);
  std::vector<SealedEpoch> epochs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caracal::pipeline
