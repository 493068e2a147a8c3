#include "pipeline/execute/worker.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {

Worker::Worker(std::vector<StreamPlan> plans, uint32_t buckets, uint32_t index, uint32_t workers)
    : plans_(std::move(plans)), buckets_(buckets), index_(index), workers_(workers) {
  CHECK(index < workers);
  for (const StreamPlan& plan : plans_) {
    evaluators_.push_back(std::make_unique<agents::Evaluator>(plan.rulesets));
    counts_.emplace_back(*plan.rulesets);
  }
  ResetShare();
}

void Worker::ResetShare() {
  share_ = EpochShare();
  share_.streams.resize(plans_.size());
  for (size_t stream = 0; stream < plans_.size(); ++stream) {
    for (const agents::RulesetInfo& info : plans_[stream].rulesets->infos()) {
      share_.streams[stream].rulesets.emplace_back().rules.resize(info.rules.size());
    }
  }
  output_bytes_.store(0, std::memory_order_relaxed);
}

void Worker::Handle(const OpenPartition& open) {
  const uint32_t slot = open.lease->slot();
  if (partitions_.size() <= slot) partitions_.resize(slot + 1);
  CHECK(partitions_[slot].lease == nullptr);
  const StreamPlan& plan = plans_[open.lease->stream()];
  PartitionState& state = partitions_[slot];
  state.lease = open.lease;
  state.phases = PhasesOf(plan, open.state_starts);
  for (uint32_t bucket = index_; bucket < buckets_; bucket += workers_) {
    state.buckets.push_back(
        {std::make_unique<agents::BucketState>(plan.rulesets, plan.limits, plan.memory.get()), 0});
  }
  if (open.state != nullptr) {
    for (const RestoredBucket& restored : *open.state) {
      if (restored.bucket % workers_ != index_) continue;
      // It was made on another thread: from now on it is this worker's.
      state.buckets[restored.bucket / workers_] = {
          std::make_unique<agents::BucketState>(std::move(*restored.state)), restored.offset};
    }
  }
  for (Bucket& bucket : state.buckets) {
    if (bucket.offset < open.complete_from) bucket.state->MarkTruncated();
    bucket.evictions_told = bucket.state->evictions();
  }
}

void Worker::Handle(const ClosePartition& close) {
  PartitionState& state = partitions_[close.lease->slot()];
  CHECK(state.lease == close.lease);
  state = PartitionState();
  std::erase_if(share_.outputs,
                [&close](const OutputRecord& output) { return output.lease == close.lease; });
}

void Worker::Handle(EventBatch& batch) {
  // Runs of one stream that count alike are judged together.
  const std::span<const Event> events(batch.events);
  for (size_t i = 0; i < events.size();) {
    const size_t begin = i;
    const uint16_t stream = events[i].lease->stream();
    const bool replayed = events[i].replayed;
    while (i < events.size() && events[i].lease->stream() == stream &&
           events[i].replayed == replayed) {
      ++i;
    }
    const std::span<const Event> run = events.subspan(begin, i - begin);
    if (replayed) {
      JudgeReplayed(run);
    } else {
      Judge(run, *evaluators_[stream]);
    }
  }
}

void Worker::JudgeReplayed(std::span<const Event> events) {
  for (size_t i = 0; i < events.size();) {
    const size_t begin = i;
    agents::Evaluator& evaluator = EvaluatorOf(events[begin]);
    while (i < events.size() && &EvaluatorOf(events[i]) == &evaluator) ++i;
    Judge(events.subspan(begin, i - begin), evaluator);
  }
}

agents::Evaluator& Worker::EvaluatorOf(const Event& replayed) {
  for (const Phase& phase : partitions_[replayed.lease->slot()].phases) {
    if (replayed.offset < phase.end) return *phase.evaluator;
  }
  return *evaluators_[replayed.lease->stream()];
}

std::vector<Worker::Phase> Worker::PhasesOf(const StreamPlan& plan,
                                            const std::vector<StateStart>& state_starts) {
  std::set<int64_t> ends;
  for (const StateStart& start : state_starts) ends.insert(start.offset);
  std::vector<Phase> phases;
  for (const int64_t end : ends) {
    const auto in_effect = [&](const agents::StateSlice& slice) {
      return std::none_of(state_starts.begin(), state_starts.end(), [&](const StateStart& start) {
        return start.state == slice.id && start.offset >= end;
      });
    };
    phases.push_back({end, std::make_unique<agents::Evaluator>(plan.rulesets->Only(in_effect))});
  }
  return phases;
}

void Worker::Judge(std::span<const Event> events, agents::Evaluator& evaluator) {
  if (!failure_.ok()) return;
  const uint16_t stream = events.front().lease->stream();
  inputs_.clear();
  for (const Event& event : events) {
    const Bucket& bucket = BucketOf(event);
    if (event.offset < bucket.offset) {
      // Invariant: no copy holds effects of records at or above the committed offset.
      CHECK(event.replayed);
      continue;
    }
    agents::EvaluationInput input;
    input.transaction = &event.transaction;
    input.bucket = bucket.state.get();
    input.key_hash = event.key_hash;
    input.row_tag = event.row_tag;
    input.has_row = event.has_row;
    input.raise = event.action == EventAction::kEvaluate;
    inputs_.push_back(input);
  }
  judgements_.clear();
  agents::EvaluationCounts& counts = counts_[stream];
  counts.Reset();
  evaluator.Evaluate(inputs_, judgements_, counts);
  if (!evaluator.failure().ok()) {
    failure_ = evaluator.failure();
    return;
  }
  Count(events, counts);
  Emit(events, plans_[stream]);
}

Worker::Bucket& Worker::BucketOf(const Event& event) {
  const uint32_t bucket = agents::BucketOf(event.key_hash, buckets_);
  DCHECK(bucket % workers_ == index_);
  return partitions_[event.lease->slot()].buckets[bucket / workers_];
}

void Worker::Count(std::span<const Event> events, const agents::EvaluationCounts& counts) {
  StreamShare& share = share_.streams[events.front().lease->stream()];
  if (events.front().replayed) {
    share.counts.replayed += events.size();
    return;
  }
  share.counts.evaluated += counts.evaluated + counts.warmed;
  share.counts.warmed += counts.warmed;
  share.counts.skipped[static_cast<size_t>(SkipReason::kDuplicate)] += counts.duplicates;
  for (size_t i = 0; i < share.rulesets.size(); ++i) {
    for (size_t s = 0; s < agents::kSeverityCount; ++s) {
      share.rulesets[i].alerts[s] += counts.rulesets[i].alerts[s];
    }
    for (size_t r = 0; r < share.rulesets[i].rules.size(); ++r) {
      const agents::RuleCounts& from = counts.rulesets[i].rules[r];
      share.rulesets[i].rules[r].Add(
          {from.evaluations, from.fired, from.late, from.inactive, from.at_least, from.errors});
    }
  }
}

void Worker::Emit(std::span<const Event> events, const StreamPlan& plan) {
  if (judgements_.empty()) return;
  size_t bytes = output_bytes_.load(std::memory_order_relaxed);
  for (const agents::Judgement& judgement : judgements_) {
    const Event& event = events[judgement.event];
    OutputRecord output = plan.encoder->EncodeAlert(event, judgement);
    output.lease = partitions_[event.lease->slot()].lease;
    output.offset = event.offset;
    output.sequence = judgement.ruleset;
    output.commit_time_ms = event.commit_time_ms;
    bytes += output.bytes();
    share_.outputs.push_back(std::move(output));
  }
  output_bytes_.store(bytes, std::memory_order_relaxed);
}

EpochShare Worker::Handle(const Barrier& barrier) {
  share_.epoch = barrier.epoch;
  for (PartitionState& partition : partitions_) {
    if (partition.lease != nullptr)
      share_.state.push_back({partition.lease, TakeSizeOf(partition)});
  }
  share_.failure = failure_;
  for (const DueBucket& due : barrier.due) Copy(due);
  EpochShare share = std::move(share_);
  ResetShare();
  return share;
}

void Worker::Copy(const DueBucket& due) {
  if (due.bucket % workers_ != index_) return;
  PartitionState& partition = partitions_[due.lease->slot()];
  CHECK(partition.lease == due.lease);
  Bucket& bucket = partition.buckets[due.bucket / workers_];
  BucketCopy snapshot = {due.lease, due.bucket, due.offset, ""};
  if (MayCopyChanges(bucket, due)) {
    snapshot.base = due.base;
    bucket.state->AppendChangesTo(buckets_, snapshot.image);
  } else {
    bucket.state->AppendTo(buckets_, snapshot.image);
    bucket.state->BeginChanges();
    bucket.base = due.offset;
    bucket.copies = 0;
    bucket.copied_bytes = 0;
  }
  bucket.copies += 1;
  bucket.copied_bytes += snapshot.image.size();
  share_.snapshots.push_back(std::move(snapshot));
}

bool Worker::MayCopyChanges(const Bucket& bucket, const DueBucket& due) {
  // A whole copy that did not become durable has no changes: the next one is whole, too.
  if (bucket.base < 0 || bucket.base != due.base) return false;
  const std::optional<size_t> bytes = bucket.state->ChangesBytes();
  // Changes add up. Bytes per copy are least when a whole copy ends them as soon as they would be
  // more than the mean since the last whole one.
  return bytes.has_value() && *bytes * bucket.copies < bucket.copied_bytes;
}

StateSize Worker::TakeSizeOf(PartitionState& partition) {
  StateSize size;
  for (Bucket& bucket : partition.buckets) {
    size.keys += bucket.state->keys();
    size.bytes += bucket.state->bytes();
    size.evictions += bucket.state->evictions() - bucket.evictions_told;
    bucket.evictions_told = bucket.state->evictions();
  }
  return size;
}

std::vector<agents::StateDigest> Worker::BucketDigests(const PartitionLease& lease) const {
  std::vector<agents::StateDigest> digests(buckets_);
  const PartitionState& state = partitions_[lease.slot()];
  for (size_t i = 0; i < state.buckets.size(); ++i) {
    digests[i * workers_ + index_] = state.buckets[i].state->Digest();
  }
  return digests;
}

}  // namespace caracal::pipeline
