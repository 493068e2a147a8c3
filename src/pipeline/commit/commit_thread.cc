#include "pipeline/commit/commit_thread.h"

#include <pthread.h>

#include <ctime>
#include <utility>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

int64_t ThreadCpuMicros() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

CommitThread::CommitThread(EpochCommitter& committer, const Clock& clock,
                           std::function<void()> on_result)
    : committer_(committer), clock_(clock), on_result_(std::move(on_result)) {}

CommitThread::~CommitThread() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  committer_.Cancel();
  if (thread_.joinable()) thread_.join();
}

void CommitThread::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "caracal-commit");
}

void CommitThread::Submit(std::shared_ptr<const SealedEpoch> epoch) {
  CHECK(!busy_);
  busy_ = true;
  MutexLock lock(&mutex_);
  submitted_ = std::move(epoch);
}

std::optional<CommitResult> CommitThread::TakeResult() {
  if (!busy_ && !start_failed_.load(std::memory_order_relaxed)) return std::nullopt;
  MutexLock lock(&mutex_);
  if (!result_.has_value()) return std::nullopt;
  busy_ = false;
  return std::exchange(result_, std::nullopt);
}

void CommitThread::Run() {
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || submitted_ != nullptr;
  };
  if (const absl::Status started = committer_.Start();
      !started.ok() && !absl::IsCancelled(started)) {
    FailStart(started);
    return;
  }
  while (true) {
    std::shared_ptr<const SealedEpoch> epoch;
    {
      MutexLock lock(&mutex_);
      mutex_.Await(has_work);
      if (stopping_) return;
      epoch = std::move(submitted_);
    }
    CommitResult result = Commit(*epoch);
    epoch = nullptr;
    {
      MutexLock lock(&mutex_);
      result_ = std::move(result);
    }
    on_result_();
  }
}

void CommitThread::FailStart(const absl::Status& status) {
  {
    MutexLock lock(&mutex_);
    result_ = CommitResult{CommitOutcome::kFatal, agents::MessageOf(status), status.code()};
  }
  start_failed_.store(true, std::memory_order_relaxed);
  on_result_();
}

CommitResult CommitThread::Commit(const SealedEpoch& epoch) {
  const int64_t start = clock_.MonotonicMicros();
  const int64_t cpu_start = ThreadCpuMicros();
  CommitResult result = committer_.Commit(epoch);
  last_cpu_micros_.Set(ThreadCpuMicros() - cpu_start);
  if (result.outcome == CommitOutcome::kReseal) probe_.epochs_resealed.Add(1);
  if (result.outcome == CommitOutcome::kFatal && result.code == absl::StatusCode::kDataLoss) {
    probe_.transactions_torn.Add(1);
  }
  if (result.outcome == CommitOutcome::kCommitted) {
    probe_.epochs_committed.Add(1);
    probe_.commit_duration.Observe(clock_.MonotonicMicros() - start);
    Count(epoch);
  }
  return result;
}

void CommitThread::Count(const SealedEpoch& epoch) {
  const int64_t now_ms = clock_.WallMillis();
  for (const OutputRecord& output : epoch.outputs) {
    if (output.kind == OutputKind::kDeadLetter) {
      probe_.dead_letters.Add(1);
      continue;
    }
    probe_.alerts.Add(1);
    if (output.commit_time_ms >= 0) {
      probe_.end_to_end_latency.Observe((now_ms - output.commit_time_ms) * 1000);
    }
  }
}

}  // namespace caracal::pipeline
