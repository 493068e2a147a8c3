#include "pipeline/commit/at_least_once_committer.h"

#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {

CommitResult AtLeastOnceCommitter::Commit(const SealedEpoch& epoch) {
  if (delivered_epoch_ != epoch.id) {
    const absl::Status delivered = sink_.Deliver(epoch.outputs);
    if (absl::IsCancelled(delivered)) return {CommitOutcome::kReseal, "cancelled"};
    if (!delivered.ok())
      return {CommitOutcome::kFatal, agents::MessageOf(delivered), delivered.code()};
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
    // The group takes offsets of any partition from any member: the next owner's would be set back.
    for (const EpochPartition& partition : epoch.partitions) {
      if (partition.lease->lapsed()) return {CommitOutcome::kReseal, "a partition was taken away"};
    }
    static_cast<void>(HitFailpoint(Failpoint::kOffsetsCommit));
    OffsetCommitResult result = offsets_.Commit(commits);
    switch (result.outcome) {
      case OffsetCommitOutcome::kCommitted:
        static_cast<void>(HitFailpoint(Failpoint::kOffsetsCommitted));
        pause_.Reset();
        return {};
      case OffsetCommitOutcome::kRebalancing:
        if (!pause_.Wait()) return {CommitOutcome::kReseal, "cancelled"};
        return {CommitOutcome::kReseal, std::move(result.message)};
      case OffsetCommitOutcome::kFatal:
        return {CommitOutcome::kFatal, std::move(result.message), result.code};
      case OffsetCommitOutcome::kTransient:
        break;
    }
    LOG(kWarning, "commit", "offsets not committed yet, trying again", {{"error", result.message}});
    if (!pause_.Wait()) return {CommitOutcome::kReseal, "cancelled"};
  }
}

void AtLeastOnceCommitter::Cancel() {
  pause_.Cancel();
  sink_.Cancel();
}

}  // namespace caracal::pipeline
