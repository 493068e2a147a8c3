#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluator.h"
#include "agents/state/huge_page_pool.h"
#include "pipeline/ports/output_encoder.h"
#include "pipeline/types/activation.h"
#include "pipeline/types/epoch_share.h"
#include "pipeline/types/event_batch.h"

namespace caracal::pipeline {

/// What a worker judges a stream with. Immutable; shared by all workers.
struct StreamPlan {
  std::shared_ptr<const agents::CompiledRulesets> rulesets;
  std::shared_ptr<const AlertEncoder> encoder;
  agents::BucketLimits limits;
  /// Of all state, whoever makes it; null = from the heap.
  std::shared_ptr<agents::HugePagePool> memory = nullptr;
};

/// A partition's records will follow: make its state.
struct OpenPartition {
  LeasePtr lease;
  /// Buckets that begin with what was read back; null = none.
  std::shared_ptr<const RestoredState> state;
  /// Rules whose state begins above the first record that will follow.
  std::vector<StateStart> state_starts = {};
  /// Buckets that have not seen everything below this have lost something: their keys are marked.
  int64_t complete_from = 0;
};
/// The partition is gone: drop its state and its outputs of the open epoch.
struct ClosePartition {
  LeasePtr lease;
};
/// Everything before this belongs to `epoch`: hand over the share, with copies of the due buckets.
struct Barrier {
  uint64_t epoch = 0;
  std::vector<DueBucket> due;
};
/// No message follows.
struct Stop {};

using WorkerMessage = std::variant<EventBatch, OpenPartition, ClosePartition, Barrier, Stop>;

/// Judges the events of the buckets it owns and keeps their state. What it does is a function of
/// the sequence of its messages alone.
///
/// One thread at a time (the worker's own, or the ingest thread when there are none). Owns the
/// state of every open partition, of its own buckets only. What can go wrong with an event has been
/// decided before it gets here; when a plugin breaks, the shares say so from then on
/// (EpochShare::failure), and nothing more is judged.
class Worker {
 public:
  /// `plans` by stream index. This worker owns the buckets b with b % workers == index.
  Worker(std::vector<StreamPlan> plans, uint32_t buckets, uint32_t index, uint32_t workers);

  void Handle(EventBatch& batch);
  void Handle(const OpenPartition& open);
  void Handle(const ClosePartition& close);
  /// The share of the epoch that ends here.
  EpochShare Handle(const Barrier& barrier);

  /// Bytes of outputs of the open epoch. Any thread.
  size_t output_bytes() const { return output_bytes_.load(std::memory_order_relaxed); }

  uint32_t index() const { return index_; }
  /// Digest of a partition's state over this worker's buckets, by bucket; for tests and
  /// verification.
  std::vector<agents::StateDigest> BucketDigests(const PartitionLease& lease) const;

 private:
  struct Bucket {
    std::unique_ptr<agents::BucketState> state;
    /// Records below this are in the state already: a replay passes them over.
    int64_t offset = 0;
    uint64_t evictions_told = 0;  ///< by earlier shares, or before it came here
    /// The last whole copy: its offset (-1 = none), and how many copies and bytes there were since,
    /// it included.
    int64_t base = -1;
    size_t copies = 0;
    size_t copied_bytes = 0;
  };
  /// A range of replayed records that only some of the rules see: the others were not in effect.
  struct Phase {
    int64_t end = 0;  ///< the first offset beyond it
    std::unique_ptr<agents::Evaluator> evaluator;
  };
  struct PartitionState {
    LeasePtr lease;
    std::vector<Bucket> buckets;  ///< by bucket / workers_
    std::vector<Phase> phases;    ///< by offset; beyond the last one every rule is in effect
  };

  void JudgeReplayed(std::span<const Event> events);
  /// That of the rules that were in effect at a replayed event.
  agents::Evaluator& EvaluatorOf(const Event& replayed);
  void Judge(std::span<const Event> events, agents::Evaluator& evaluator);
  static std::vector<Phase> PhasesOf(const StreamPlan& plan,
                                     const std::vector<StateStart>& state_starts);
  void Emit(std::span<const Event> events, const StreamPlan& plan);
  void Count(std::span<const Event> events, const agents::EvaluationCounts& counts);
  Bucket& BucketOf(const Event& event);
  void Copy(const DueBucket& due);
  /// Changes alone say what the bucket is, and are worth it.
  static bool MayCopyChanges(const Bucket& bucket, const DueBucket& due);
  void ResetShare();
  /// Tells every eviction once.
  static StateSize TakeSizeOf(PartitionState& partition);

  const std::vector<StreamPlan> plans_;
  const uint32_t buckets_;
  const uint32_t index_;
  const uint32_t workers_;
  std::vector<std::unique_ptr<agents::Evaluator>> evaluators_;  ///< by stream index
  std::vector<PartitionState> partitions_;                      ///< by lease slot
  EpochShare share_;
  absl::Status failure_;  ///< of the first agent that broke, of live or replayed records
  std::atomic<size_t> output_bytes_{0};
  std::vector<agents::EvaluationCounts> counts_;  ///< by stream index, of one batch
  std::vector<agents::EvaluationInput> inputs_;
  std::vector<agents::Judgement> judgements_;
};

}  // namespace caracal::pipeline
