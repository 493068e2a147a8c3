#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "pipeline/types/epoch.h"

namespace caracal::pipeline {

enum class TransactionOutcome : uint8_t {
  kCommitted,
  kAborted,  ///< nothing of it will ever be visible: the epoch may be sent again
  kUnknown,  ///< it may have committed: Renew(), then ask for the committed offsets
  kFenced,   ///< another process took over this transactional id while ours was at work
  kFatal,    ///< no use trying again; the message says why
};

struct TransactionResult {
  TransactionOutcome outcome = TransactionOutcome::kCommitted;
  std::string message;
  /// The producer cannot take another transaction, whatever became of this one (a request of it may
  /// still be on its way and could end the next one): Renew() first.
  bool suspect = false;
  /// A broker was out of reach meanwhile.
  bool disturbed = false;
  absl::StatusCode code = absl::StatusCode::kInternal;  ///< of kFatal: what kind of error it is
};

/// Writes an epoch in one transaction: alerts, dead letters and the group's offsets become visible
/// together or not at all. Commit thread only, except Cancel.
class TransactionSink {
 public:
  virtual ~TransactionSink() = default;

  /// Makes a producer of a newer epoch, which fences whatever an older one left behind: an open
  /// transaction is aborted, one that was being committed is completed first. Needed before the
  /// first Send. Retries what may pass; Cancelled after Cancel; other errors are final.
  virtual absl::Status Renew() = 0;
  /// The next Renew() does what it always does, and then makes a producer of another transactional
  /// id. For a transaction that came to nothing: a broker that has lost its abort markers would
  /// make its outputs visible with the next commit of the same producer id.
  virtual void ChangeId() = 0;
  /// One transaction, from its beginning to its outcome.
  virtual TransactionResult Send(const SealedEpoch& epoch) = 0;
  /// Makes what waits return soon. Any thread.
  virtual void Cancel() = 0;
};

}  // namespace caracal::pipeline
