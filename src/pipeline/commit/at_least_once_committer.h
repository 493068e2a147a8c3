#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/commit/retry_pause.h"
#include "pipeline/ports/epoch_committer.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/ports/output_sink.h"

namespace caracal::pipeline {

/// delivery: at_least_once. Delivers an epoch's alerts and dead letters, waits for every
/// acknowledgement, and only then commits its offsets through the consumer group. A crash in
/// between repeats alerts, with the same alert ids.
///
/// While the group rebalances no offset is committed: the epoch is sealed again by the ingest
/// thread, which drops what has lapsed meanwhile; outputs already acknowledged are not sent again.
/// Transient errors are retried until they pass. Threads: Commit on the commit thread, Cancel on
/// any.
class AtLeastOnceCommitter : public EpochCommitter {
 public:
  /// Both must outlive this. `pause` is waited before offsets are committed again, longer each
  /// time.
  AtLeastOnceCommitter(OutputSink& sink, OffsetStore& offsets,
                       absl::Duration pause = absl::Milliseconds(100))
      : sink_(sink), offsets_(offsets), pause_(pause) {}

  absl::Status Start() override { return sink_.Start(); }
  CommitResult Commit(const SealedEpoch& epoch) override;
  void Cancel() override;

 private:
  CommitResult CommitOffsets(const SealedEpoch& epoch);

  OutputSink& sink_;
  OffsetStore& offsets_;
  RetryPause pause_;
  /// The epoch whose outputs have been acknowledged, while its offsets have not been committed.
  uint64_t delivered_epoch_ = 0;
};

}  // namespace caracal::pipeline
