#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/commit/retry_pause.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/epoch_committer.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/ports/transaction_sink.h"

namespace caracal::pipeline {

/// delivery: exactly_once. One transaction per epoch; what it came to is always known before the
/// next one begins:
///
///   committed   the next epoch; after a suspect commit only with a new producer, which fences what
///               may still be on its way
///   aborted     the epoch is sealed again, which drops what has lapsed, and sent again
///   unknown     a new producer (it waits until the old transaction is completed or aborted), then
///               the committed offsets of the partitions still owned tell: all at the end of the
///               epoch = committed, all where it began = sealed and sent again, anything else =
///               torn: fatal with DataLoss, and the sentence says which offsets stand where
///
/// What came to nothing while a broker was out of reach, or unknown, is sent again under another
/// transactional id (TransactionSink::ChangeId): Kafka 4.3 with one broker, killed or restarted,
/// holds transactions for ended whose markers it has never written.
///
/// Threads: Start and Commit on the commit thread, Cancel on any.
class ExactlyOnceCommitter : public EpochCommitter {
 public:
  /// All must outlive this. `pause` is waited before an epoch is sent again, longer each time.
  ExactlyOnceCommitter(TransactionSink& sink, OffsetStore& offsets, const Clock& clock,
                       absl::Duration pause = absl::Milliseconds(50))
      : sink_(sink), offsets_(offsets), clock_(clock), pause_(pause) {}

  absl::Status Start() override { return Renew(); }
  CommitResult Commit(const SealedEpoch& epoch) override;
  void Cancel() override;

 private:
  /// Where the committed offsets of the partitions still owned stand.
  enum class Position : uint8_t { kNoneOwned, kBegin, kEnd, kMixed };

  /// What the committed offsets of an epoch's partitions tell of it.
  struct Answer {
    Position position = Position::kNoneOwned;
    std::string offsets;  ///< for people, of the partitions still owned
  };

  absl::Status Renew();
  CommitResult Resolve(const SealedEpoch& epoch, const std::string& reason);
  absl::StatusOr<Answer> Locate(const SealedEpoch& epoch);
  CommitResult Reseal(std::string reason);

  TransactionSink& sink_;
  OffsetStore& offsets_;
  const Clock& clock_;
  RetryPause pause_;
  bool ready_ = false;  ///< the producer is of a fresh epoch and nothing of it is on its way
};

}  // namespace caracal::pipeline
