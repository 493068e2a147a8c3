#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "pipeline/types/epoch.h"

namespace caracal::pipeline {

enum class CommitOutcome : uint8_t {
  kCommitted,  ///< alerts, dead letters and offsets are durable
  kReseal,  ///< nothing was committed: seal the epoch again (ownership changed) and send it again
  kFatal,   ///< cannot go on; the message says why and what to do
};

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kCommitted;
  std::string message;
  /// Of kFatal: what kind of error it is. DataLoss = torn: the epoch may be durable in part.
  absl::StatusCode code = absl::StatusCode::kInternal;
};

/// Makes epochs durable: alerts and dead letters first, offsets never ahead of them. The one place
/// where the delivery guarantee lives: at_least_once waits for acknowledgements and then commits
/// the group's offsets; exactly_once does all of it in one transaction. One epoch at a time.
class EpochCommitter {
 public:
  virtual ~EpochCommitter() = default;

  /// Called once on the commit thread, before the first Commit: what takes a while at the start. An
  /// error that will not pass is final, Cancelled is not one.
  virtual absl::Status Start() { return absl::OkStatus(); }
  /// Blocks until the outcome is known, retrying what can be retried. Commit thread only.
  virtual CommitResult Commit(const SealedEpoch& epoch) = 0;
  /// Makes a Commit that waits return soon, with kReseal. Any thread.
  virtual void Cancel() = 0;
};

}  // namespace caracal::pipeline
