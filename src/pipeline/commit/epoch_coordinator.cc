#include "pipeline/commit/epoch_coordinator.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "agents/api/check.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {

EpochCoordinator::EpochCoordinator(EpochOptions options, EventSource& source,
                                   CommitSlot& commit_slot, const Clock& clock)
    : options_(std::move(options)),
      source_(source),
      commit_slot_(commit_slot),
      clock_(clock),
      last_commit_us_(clock.MonotonicMicros()) {}

void EpochCoordinator::OpenPartition(const LeasePtr& lease, const StartPosition& position) {
  if (progress_.size() <= lease->slot()) progress_.resize(lease->slot() + 1);
  Progress& progress = progress_[lease->slot()];
  CHECK(progress.lease == nullptr);
  progress.lease = lease;
  progress.next_offset = position.committed;
  progress.committed_offset = position.committed;
  progress.metadata = {position.activation, position.alert_from, position.rules,
                       position.activations, position.last};
  progress.touched = false;
}

void EpochCoordinator::ClosePartition(const LeasePtr& lease) {
  Progress& progress = progress_[lease->slot()];
  CHECK(progress.lease == lease);
  progress = Progress();
  std::erase_if(open_.outputs,
                [&lease](const OutputRecord& output) { return output.lease == lease; });
}

void EpochCoordinator::Advance(const PartitionLease& lease, int64_t next_offset, uint64_t records,
                               const RecordMark& last) {
  Progress& progress = progress_[lease.slot()];
  CHECK(progress.lease.get() == &lease);
  // Replay: nothing to commit, so nothing that may fill the epoch. A full epoch that has nothing to
  // commit is never closed.
  if (next_offset <= progress.next_offset) return;
  open_.records += records;
  progress.next_offset = next_offset;
  progress.metadata.last = last;
  progress.touched = true;
  progressed_ = true;
}

void EpochCoordinator::AddOutput(OutputRecord output) {
  open_.output_bytes += output.bytes();
  open_.outputs.push_back(std::move(output));
}

bool EpochCoordinator::Full() const {
  return pending_bytes() >= options_.max_pending_bytes || open_.records >= options_.max_records;
}

bool EpochCoordinator::ShouldClose(bool lagging) const {
  if (closed_.has_value() || !progressed_) return false;
  const int64_t since_commit = clock_.MonotonicMicros() - last_commit_us_;
  if (Full() || since_commit >= options_.commit_interval_us) return true;
  if (lagging || pending_bytes() == 0) return false;
  return MicrosUntilAlertsMayClose() <= 0;
}

int64_t EpochCoordinator::MicrosUntilAlertsMayClose() const {
  const int64_t now = clock_.MonotonicMicros();
  const int64_t cost = options_.cost_share * commit_slot_.last_cpu_micros();
  const int64_t affordable = last_close_us_ + std::max(cost, options_.min_interval_us);
  return std::max(affordable, last_commit_us_ + options_.min_pause_us) - now;
}

int64_t EpochCoordinator::MicrosUntilDue() const {
  if (closed_.has_value() || !progressed_) return options_.commit_interval_us;
  const int64_t interval_left =
      last_commit_us_ + options_.commit_interval_us - clock_.MonotonicMicros();
  const int64_t wanted =
      pending_bytes() > 0 ? std::min(interval_left, MicrosUntilAlertsMayClose()) : interval_left;
  return std::max<int64_t>(0, wanted);
}

uint64_t EpochCoordinator::Close() {
  CHECK(!closed_.has_value());
  ClosedEpoch closed;
  closed.id = open_.id;
  closed.missing_shares = options_.workers;
  closed.outputs = std::move(open_.outputs);
  for (Progress& progress : progress_) {
    if (!progress.touched) continue;
    progress.touched = false;
    closed.partitions.push_back({progress.lease, progress.committed_offset, progress.next_offset,
                                 FormatOffsetMetadata(progress.metadata)});
  }
  closed_ = std::move(closed);
  open_ = OpenEpoch();
  open_.id = closed_->id + 1;
  last_close_us_ = clock_.MonotonicMicros();
  worker_output_bytes_ = 0;
  progressed_ = false;
  return closed_->id;
}

void EpochCoordinator::AddShare(EpochShare share) {
  CHECK(closed_.has_value() && share.epoch == closed_->id && closed_->missing_shares > 0);
  closed_->missing_shares -= 1;
  std::move(share.outputs.begin(), share.outputs.end(), std::back_inserter(closed_->outputs));
  std::move(share.snapshots.begin(), share.snapshots.end(), std::back_inserter(closed_->snapshots));
}

absl::Status EpochCoordinator::Serve() {
  if (std::optional<CommitResult> result = commit_slot_.TakeResult(); result.has_value()) {
    if (result->outcome == CommitOutcome::kFatal)
      return absl::Status(result->code, result->message);
    Finish(*result);
  }
  if (closed_.has_value() && closed_->missing_shares == 0 && !closed_->submitted) Submit();
  return absl::OkStatus();
}

void EpochCoordinator::Submit() {
  static_cast<void>(HitFailpoint(Failpoint::kEpochSeal));
  auto sealed = std::make_shared<SealedEpoch>();
  if (closed_->sealed != nullptr) {
    *sealed = *closed_->sealed;  // sealed again: ownership has changed
  } else {
    sealed->id = closed_->id;
    sealed->partitions = std::move(closed_->partitions);
    sealed->outputs = std::move(closed_->outputs);
    std::sort(sealed->outputs.begin(), sealed->outputs.end(),
              [](const OutputRecord& a, const OutputRecord& b) {
                return std::forward_as_tuple(a.lease->id(), a.offset, a.sequence) <
                       std::forward_as_tuple(b.lease->id(), b.offset, b.sequence);
              });
  }
  std::erase_if(sealed->partitions,
                [](const EpochPartition& partition) { return partition.lease->lapsed(); });
  std::erase_if(sealed->outputs, [](const OutputRecord& output) { return output.lease->lapsed(); });
  if (sealed->partitions.empty()) {
    // No offset moves: nothing of this epoch may become visible either.
    CHECK(sealed->outputs.empty());
    EndClosed();
    return;
  }
  sealed->group_metadata = source_.GroupMetadata();
  closed_->sealed = sealed;
  closed_->submitted = true;
  static_cast<void>(HitFailpoint(Failpoint::kEpochSealed));
  commit_slot_.Submit(std::move(sealed));
}

void EpochCoordinator::Finish(const CommitResult& result) {
  if (result.outcome == CommitOutcome::kReseal) {
    LOG(kInfo, "commit", "epoch will be sealed again", {{"reason", result.message}});
    closed_->submitted = false;
    return;
  }
  for (const EpochPartition& partition : closed_->sealed->partitions) {
    Progress& progress = progress_[partition.lease->slot()];
    if (progress.lease != partition.lease) continue;
    CHECK(partition.end_offset > progress.committed_offset);
    progress.committed_offset = partition.end_offset;
    progress.committed_epoch = closed_->sealed->id;
  }
  EndClosed();
  last_commit_us_ = clock_.MonotonicMicros();
}

void EpochCoordinator::EndClosed() {
  // What this epoch moved is committed, what it did not touch was before: no copy is ahead.
  for (BucketCopy& snapshot : closed_->snapshots) {
    if (!snapshot.lease->lapsed()) snapshots_.push_back(std::move(snapshot));
  }
  closed_.reset();
}

bool EpochCoordinator::Idle() const { return !closed_.has_value() && !progressed_; }

bool EpochCoordinator::Contains(const LeasePtr& lease) const {
  if (!closed_.has_value()) return false;
  const std::vector<EpochPartition>& partitions =
      closed_->sealed != nullptr ? closed_->sealed->partitions : closed_->partitions;
  return std::any_of(
      partitions.begin(), partitions.end(),
      [&lease](const EpochPartition& partition) { return partition.lease == lease; });
}

int64_t EpochCoordinator::CommittedOffset(const PartitionLease& lease) const {
  if (lease.slot() >= progress_.size()) return -1;
  const Progress& progress = progress_[lease.slot()];
  return progress.lease.get() == &lease ? progress.committed_offset : -1;
}

uint64_t EpochCoordinator::CommittedEpoch(const PartitionLease& lease) const {
  if (lease.slot() >= progress_.size()) return 0;
  const Progress& progress = progress_[lease.slot()];
  return progress.lease.get() == &lease ? progress.committed_epoch : 0;
}

}  // namespace caracal::pipeline
