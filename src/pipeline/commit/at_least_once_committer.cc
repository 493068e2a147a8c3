#include "pipeline/commit/at_least_once_committer.h"

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kRetryPause = absl::Milliseconds(100);

}  // namespace

CommitResult AtLeastOnceCommitter::Commit(const SealedEpoch& epoch) {
  if (delivered_epoch_ != epoch.id) {
    const absl::Status delivered = sink_.Deliver(epoch.outputs);
    if (absl::IsCancelled(delivered)) return {CommitOutcome::kReseal, "cancelled"};
    if (!delivered.ok()) return {CommitOutcome::kFatal, agents::MessageOf(delivered)};
    delivered_epoch_ = epoch.id;
  }
  return CommitOffsets(epoch);
}

CommitResult AtLeastOnceCommitter::CommitOffsets(const SealedEpoch& epoch) {
  std::vector<OffsetCommit> commits;
  for (const EpochPartition& partition : epoch.partitions) {
    commits.push_back({partition.lease->topic(), partition.lease->partition(), partition.end_offset,
                       partition.metadata});
  }
  if (commits.empty()) return {};
  while (true) {
    OffsetCommitResult result = offsets_.Commit(commits);
    switch (result.outcome) {
      case OffsetCommitOutcome::kCommitted:
        return {};
      case OffsetCommitOutcome::kRebalancing:
        if (!Backoff()) return {CommitOutcome::kReseal, "cancelled"};
        return {CommitOutcome::kReseal, std::move(result.message)};
      case OffsetCommitOutcome::kFatal:
        return {CommitOutcome::kFatal, std::move(result.message)};
      case OffsetCommitOutcome::kTransient:
        break;
    }
    LOG(kWarning, "commit", "offsets not committed yet, trying again", {{"error", result.message}});
    if (!Backoff()) return {CommitOutcome::kReseal, "cancelled"};
    for (const EpochPartition& partition : epoch.partitions) {
      if (partition.lease->lapsed()) return {CommitOutcome::kReseal, "a partition was taken away"};
    }
  }
}

bool AtLeastOnceCommitter::Backoff() {
  MutexLock lock(&mutex_);
  return !mutex_.AwaitFor(kRetryPause,
                          [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return cancelled_; });
}

void AtLeastOnceCommitter::Cancel() {
  {
    MutexLock lock(&mutex_);
    cancelled_ = true;
  }
  sink_.Cancel();
}

}  // namespace caracal::pipeline
