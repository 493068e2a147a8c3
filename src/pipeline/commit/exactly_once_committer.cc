#include "pipeline/commit/exactly_once_committer.h"

#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

// A member that was timed out learns it within a few heartbeats; until then the offsets of its next
// owner look like a torn transaction.
constexpr int64_t kTornGraceMicros = 30'000'000;
constexpr absl::Duration kAskMax = absl::Seconds(5);
// Partitions that a sentence names.
constexpr size_t kNamedPartitions = 16;

CommitResult Torn(const SealedEpoch& epoch, const std::string& offsets) {
  return {CommitOutcome::kFatal,
          fmt::format("TORN TRANSACTION: some offsets of epoch {} are committed and others are not "
                      "({}). Alerts of these records may be missing or doubled; compare the alerts "
                      "topic with these offsets, as the runbook CaracalTornTransaction says",
                      epoch.id, offsets),
          absl::StatusCode::kDataLoss};
}

}  // namespace

absl::Status ExactlyOnceCommitter::Renew() {
  RETURN_IF_ERROR(sink_.Renew());
  ready_ = true;
  return absl::OkStatus();
}

CommitResult ExactlyOnceCommitter::Commit(const SealedEpoch& epoch) {
  if (epoch.group_metadata.empty()) return Reseal("the group has no valid generation");
  if (!ready_) {
    const absl::Status status = Renew();
    if (absl::IsCancelled(status)) return {CommitOutcome::kReseal, "cancelled"};
    if (!status.ok()) return {CommitOutcome::kFatal, agents::MessageOf(status), status.code()};
  }
  TransactionResult result = sink_.Send(epoch);
  if (result.suspect && !HitFailpoint(Failpoint::kProducerRenew)) ready_ = false;
  switch (result.outcome) {
    case TransactionOutcome::kCommitted:
      pause_.Reset();
      return {};
    case TransactionOutcome::kAborted:
      if (result.disturbed) sink_.ChangeId();
      return Reseal(std::move(result.message));
    case TransactionOutcome::kUnknown:
      return Resolve(epoch, result.message);
    case TransactionOutcome::kFenced:
      return {CommitOutcome::kFatal,
              fmt::format("another process has taken over this instance's transactional id: two "
                          "processes have the same instance_id. {}",
                          result.message),
              absl::StatusCode::kFailedPrecondition};
    case TransactionOutcome::kFatal:
      break;
  }
  return {CommitOutcome::kFatal, std::move(result.message), result.code};
}

CommitResult ExactlyOnceCommitter::Reseal(std::string reason) {
  if (!pause_.Wait()) reason = "cancelled";
  return {CommitOutcome::kReseal, std::move(reason)};
}

CommitResult ExactlyOnceCommitter::Resolve(const SealedEpoch& epoch, const std::string& reason) {
  LOG(kWarning, "commit", "the outcome of a transaction is not known, asking for the offsets",
      {{"epoch", epoch.id}, {"reason", reason}});
  ready_ = false;
  const int64_t deadline = clock_.MonotonicMicros() + kTornGraceMicros;
  do {
    if (!ready_) {
      const absl::Status renewed = Renew();
      if (absl::IsCancelled(renewed)) return {CommitOutcome::kReseal, "cancelled"};
      if (!renewed.ok()) return {CommitOutcome::kFatal, agents::MessageOf(renewed), renewed.code()};
    }
    const absl::StatusOr<Answer> answer = Locate(epoch);
    if (answer.ok()) {
      switch (answer->position) {
        case Position::kEnd:
          pause_.Reset();
          return {};
        case Position::kBegin:
        case Position::kNoneOwned:
          sink_.ChangeId();
          ready_ = false;
          return {CommitOutcome::kReseal, reason};
        case Position::kMixed:
          if (clock_.MonotonicMicros() < deadline) break;
          return Torn(epoch, answer->offsets);
      }
    } else if (!absl::IsUnavailable(answer.status())) {
      return {CommitOutcome::kFatal, agents::MessageOf(answer.status())};
    }
  } while (pause_.Wait());
  return {CommitOutcome::kReseal, "cancelled"};
}

absl::StatusOr<ExactlyOnceCommitter::Answer> ExactlyOnceCommitter::Locate(
    const SealedEpoch& epoch) {
  std::vector<LeasePtr> leases;
  std::vector<const EpochPartition*> asked;
  for (const EpochPartition& partition : epoch.partitions) {
    // A transaction of the next owner would hold up the answer for all.
    if (partition.lease->lapsed()) continue;
    leases.push_back(partition.lease);
    asked.push_back(&partition);
  }
  if (leases.empty()) return Answer();
  ASSIGN_OR_RETURN(const std::vector<CommittedOffset> committed,
                   offsets_.Committed(leases, kAskMax));
  size_t at_begin = 0;
  size_t at_end = 0;
  size_t owned = 0;
  Answer answer;
  for (size_t i = 0; i < leases.size(); ++i) {
    // Asked after the offset was read: what the next owner commits is none of ours.
    if (leases[i]->lapsed()) continue;
    ++owned;
    const EpochPartition& partition = *asked[i];
    at_begin += committed[i].offset == partition.begin_offset ? 1 : 0;
    at_end += committed[i].offset == partition.end_offset ? 1 : 0;
    if (owned > kNamedPartitions) continue;
    answer.offsets += fmt::format(
        "{}{} [{}] from {} to {} at {}", owned == 1 ? "" : ", ", leases[i]->topic(),
        leases[i]->partition(), partition.begin_offset, partition.end_offset, committed[i].offset);
  }
  if (owned > kNamedPartitions) {
    answer.offsets += fmt::format(" and {} more partitions", owned - kNamedPartitions);
  }
  if (owned == 0) return answer;
  answer.position = at_begin == owned ? Position::kBegin : Position::kMixed;
  if (at_end == owned) answer.position = Position::kEnd;
  return answer;
}

void ExactlyOnceCommitter::Cancel() {
  pause_.Cancel();
  sink_.Cancel();
}

}  // namespace caracal::pipeline
