#include "tests/simulation/member.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/commit/at_least_once_committer.h"
#include "pipeline/commit/exactly_once_committer.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/emit/raw_dead_letter_encoder.h"

namespace caracal::pipeline::sim {
namespace {

constexpr absl::Duration kHandOver = absl::Seconds(1);
constexpr absl::Duration kDrain = absl::Seconds(4);

uint64_t Sum(std::span<const Counter> counters) {
  return std::accumulate(
      counters.begin(), counters.end(), uint64_t{0},
      [](uint64_t sum, const Counter& counter) { return sum + counter.value(); });
}

}  // namespace

absl::StatusOr<std::vector<CommittedOffset>> GuessedOffsets::Committed(
    std::span<const LeasePtr> leases, absl::Duration /*max_wait*/) {
  std::vector<CommittedOffset> guessed(leases.size());
  for (size_t i = 0; i < leases.size(); ++i) {
    for (const EpochPartition& partition : epoch_->partitions) {
      if (partition.lease != leases[i]) continue;
      guessed[i].offset = committed_ ? partition.end_offset : partition.begin_offset;
    }
  }
  return guessed;
}

SimCommitSlot::SimCommitSlot(Process& process, OffsetStore& offsets)
    : process_(process),
      guessed_(offsets, process.world.Mutated(Mutation::kAssumeCommitted), epoch_) {
  const World& world = process.world;
  const bool guess =
      world.Mutated(Mutation::kAssumeCommitted) || world.Mutated(Mutation::kAssumeNotCommitted);
  OffsetStore& asked = guess ? guessed_ : offsets;
  // The simulated cluster makes everybody wait long enough.
  const absl::Duration pause = absl::ZeroDuration();
  if (world.exactly_once) {
    transactions_ = std::make_unique<SimTransactionSink>(process, "id-" + process.name);
    committer_ = std::make_unique<ExactlyOnceCommitter>(*transactions_, asked, world.clock, pause);
  } else {
    outputs_ = std::make_unique<SimOutputSink>(process);
    committer_ = std::make_unique<AtLeastOnceCommitter>(*outputs_, asked, pause);
  }
  process_.Start([this] { CommitLoop(); });
}

void SimCommitSlot::Submit(std::shared_ptr<const SealedEpoch> epoch) {
  process_.Trace(fmt::format("epoch {} submitted: {} partitions, {} outputs, generation {}",
                             epoch->id, epoch->partitions.size(), epoch->outputs.size(),
                             epoch->group_metadata));
  submitted_.push_back(std::move(epoch));
  if (process_.world.Mutated(Mutation::kAckBeforeCommit)) result_ = CommitResult();
}

void SimCommitSlot::CommitLoop() {
  if (!committer_->Start().ok()) return;  // the process is dead
  while (!process_.dead()) {
    process_.Await([this] { return !submitted_.empty(); });
    if (process_.dead()) return;
    epoch_ = std::move(submitted_.front());
    submitted_.pop_front();
    CommitResult result = committer_->Commit(*epoch_);
    process_.Delay();
    if (!process_.world.Mutated(Mutation::kAckBeforeCommit)) result_ = std::move(result);
  }
}

Member::Member(World& world, std::string name, const Rules& rules)
    : process_(world, std::move(name), rules),
      world_(world),
      offsets_(process_),
      snapshots_(process_),
      source_(process_, offsets_, snapshots_),
      commits_(process_, offsets_) {
  offsets_.set_view(
      {[this] { return source_.membership(); }, [this] { return source_.Rebalancing(); }});
  const StreamPlan& plan = rules.plan();
  for (const agents::RulesetInfo& info : plan.rulesets->infos()) {
    probe_.streams[0]->rulesets.push_back(std::make_unique<RulesetProbe>(info.rules.size()));
  }
  workers_ = std::make_unique<WorkerPool>(WorkerPoolOptions{.threads = 0}, std::vector{plan},
                                          Model::kBuckets, [] {});
  EpochOptions epochs;
  epochs.commit_interval_us = world.random.Between(1'000, 60'000);
  epochs.max_records = static_cast<uint64_t>(world.random.Between(4, 200));
  epochs_ = std::make_unique<EpochCoordinator>(epochs, source_, commits_, world.clock);
  std::vector<StreamInput> inputs;
  inputs.push_back(
      {std::make_unique<Decoder>(world.model.decode()), std::make_shared<RawDeadLetterEncoder>()});
  const IngestOptions ingest = {
      .buckets = Model::kBuckets,
      .max_recovery = absl::Seconds(1),
      .assumed_replay_rate = world.random.Between(1, world.random.Percent(50) ? 100 : 12)};
  ingest_ = std::make_unique<Ingest>(ingest, source_, *workers_, *epochs_, &snapshots_,
                                     std::move(inputs), world.clock, probe_);
  process_.Trace(fmt::format("started with rules {} ('{}')", rules.hash(), rules.name()));
}

void Member::Crash() {
  if (process_.dead()) return;
  process_.Trace("crashed");
  commits_.Cancel();
  process_.Kill();
}

void Member::Stop(std::function<void()> turn) {
  stopping_ = true;
  process_.Trace("stops");
  source_.set_while_polling(std::move(turn));
  Check(ingest_->HandOver(kHandOver));
  process_.Trace("has copied its state, or had no time to");
  const absl::Status drained = ingest_->Drain(kDrain);
  if (!absl::IsDeadlineExceeded(drained)) {
    Check(drained);
    CheckDrained();
  }
  source_.Leave();
  Crash();
}

void Member::Step() {
  Check(ingest_->Step());
  CheckConservation();
}

void Member::Check(const absl::Status& status) {
  if (!status.ok()) {
    world_.Fail(fmt::format("{} ended: {}", name(), agents::MessageOf(status)));
  }
}

void Member::CheckDrained() {
  for (const SimSource::Open& open : source_.OpenPartitions()) {
    const int32_t partition = open.lease->partition();
    if (open.lease->lapsed() || world_.ledger.committed(partition) >= open.next_offset) continue;
    world_.Fail(fmt::format("{} stopped at offset {} of partition {}, of which {} is committed",
                            name(), open.next_offset, partition,
                            world_.ledger.committed(partition)));
  }
}

void Member::CheckConservation() {
  const StreamProbe& probe = *probe_.streams[0];
  if (probe.consumed.value() ==
      probe.evaluated.value() + Sum(probe.skipped) + Sum(probe.rejected)) {
    return;
  }
  world_.Fail(fmt::format("{}: records consumed are not those accounted for", name()));
}

void Member::CheckState() {
  for (const SimSource::Open& open : source_.OpenPartitions()) {
    const std::vector<agents::StateDigest> digests = workers_->BucketDigests(*open.lease);
    for (uint32_t bucket = 0; bucket < Model::kBuckets; ++bucket) {
      world_.ledger.OnState(name(), *process_.opened.at(open.lease), open.lease->partition(),
                            bucket, std::max(open.next_offset, open.copies[bucket]),
                            digests[bucket]);
    }
  }
}

int32_t Member::LivePartitions() const {
  int32_t live = 0;
  for (const SimSource::Open& open : source_.OpenPartitions()) {
    const int32_t partition = open.lease->partition();
    live += open.next_offset == world_.log_ends[static_cast<size_t>(partition)] ? 1 : 0;
  }
  return live;
}

}  // namespace caracal::pipeline::sim
