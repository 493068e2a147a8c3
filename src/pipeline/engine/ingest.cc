#include "pipeline/engine/ingest.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"
#include "pipeline/decode/record_key.h"
#include "pipeline/types/record_mark.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kFullWait = absl::Milliseconds(1);
constexpr uint64_t kKeySamples = 1000;

std::vector<StreamCounts> Fresh(size_t streams) { return std::vector<StreamCounts>(streams); }

void CountTimeSource(agents::TimeSource source, StreamCounts& counts) {
  if (source == agents::TimeSource::kSourceCommit) counts.time_from_source_commit += 1;
  if (source == agents::TimeSource::kRecord) counts.time_from_record += 1;
}

}  // namespace

Ingest::Ingest(IngestOptions options, EventSource& source, WorkerPool& workers,
               EpochCoordinator& epochs, SnapshotStore* snapshots, std::vector<StreamInput> streams,
               const Clock& clock, EngineProbe& probe)
    : options_(options),
      source_(source),
      workers_(workers),
      epochs_(epochs),
      snapshots_(snapshots),
      schedule_({.buckets = options.buckets,
                 .max_replay_records =
                     ReplayMeter::Within(options.max_recovery, options.assumed_replay_rate)}),
      streams_(std::move(streams)),
      clock_(clock),
      probe_(probe),
      router_(options.buckets, workers.size()),
      open_counts_(Fresh(streams_.size())),
      closed_counts_(Fresh(streams_.size())),
      state_sizes_(streams_.size()) {}

absl::Status Ingest::Step() {
  RETURN_IF_ERROR(Pump());
  const bool want_records = !draining_ && !epochs_.Full();
  RETURN_IF_ERROR(Poll(WaitTime(), want_records));
  RETURN_IF_ERROR(ApplyChanges());
  lagging_ = polled_.records != nullptr && polled_.records->full();
  if (polled_.records != nullptr) RETURN_IF_ERROR(Dispatch(std::move(polled_.records)));
  ServeResumeRequests();
  UpdateStatus(/*force=*/false);
  return Pump();
}

absl::Duration Ingest::WaitTime() const {
  // Inline workers and finished commits leave work that no wake-up announces.
  return std::min(options_.max_wait, absl::Microseconds(epochs_.MicrosUntilDue()));
}

absl::Status Ingest::Pump() {
  RETURN_IF_ERROR(TakeShares());
  epochs_.NoteWorkerOutput(workers_.output_bytes());
  RETURN_IF_ERROR(epochs_.Serve());
  if (epochs_.ShouldClose(lagging_) || CopiesAreDue()) {
    RETURN_IF_ERROR(CloseEpoch());
    RETURN_IF_ERROR(TakeShares());
    RETURN_IF_ERROR(epochs_.Serve());
  }
  ReleaseRevoked();
  if (snapshots_ != nullptr) SaveSnapshots();
  probe_.pending_output_bytes.Set(static_cast<int64_t>(epochs_.pending_bytes()));
  probe_.queued_batches.Set(static_cast<int64_t>(workers_.queued()));
  return absl::OkStatus();
}

absl::Status Ingest::Poll(absl::Duration wait, bool want_records) {
  const int64_t start = clock_.MonotonicMicros();
  RETURN_IF_ERROR(source_.Poll(wait, want_records, polled_));
  probe_.polls.Add(1);
  if (!want_records && !draining_) {
    probe_.backpressure_micros.Add(static_cast<uint64_t>(clock_.MonotonicMicros() - start));
  }
  std::move(polled_.changes.begin(), polled_.changes.end(), std::back_inserter(changes_));
  polled_.changes.clear();
  return absl::OkStatus();
}

absl::Status Ingest::CloseEpoch() {
  CHECK(shares_missing_ == 0);
  static_cast<void>(HitFailpoint(Failpoint::kEpochClose));
  std::vector<DueBucket> due = TakeDueBuckets();
  const uint64_t epoch = epochs_.Close();
  closed_counts_ = std::exchange(open_counts_, Fresh(streams_.size()));
  shares_missing_ = workers_.size();
  probe_.epochs_closed.Add(1);
  return PostAll(Barrier{epoch, std::move(due)});
}

std::vector<SnapshotSchedule::Position> Ingest::LivePositions() const {
  std::vector<SnapshotSchedule::Position> live;
  for (const auto& partition : partitions_) {
    if (partition == nullptr || partition->next_offset < partition->position.committed) continue;
    live.push_back({partition->lease, partition->next_offset});
  }
  return live;
}

std::vector<DueBucket> Ingest::TakeDueBuckets() {
  if (snapshots_ == nullptr || snapshots_->Busy()) return {};
  return schedule_.TakeDue(LivePositions(), clock_.MonotonicMicros());
}

bool Ingest::CopiesAreDue() const {
  // A quiet source must not leave behind what a busy one had no barriers for.
  return snapshots_ != nullptr && !draining_ && epochs_.Idle() && !snapshots_->Busy() &&
         schedule_.HasDue(LivePositions(), clock_.MonotonicMicros());
}

void Ingest::SaveSnapshots() {
  if (std::vector<BucketCopy> copies = epochs_.TakeSnapshots(); !copies.empty()) {
    snapshots_->Save(std::move(copies));
  }
  for (const SavedBucket& saved : snapshots_->TakeSaved()) {
    schedule_.NoteSaved(saved);
  }
}

absl::Status Ingest::TakeShares() {
  EpochShare share;
  while (workers_.TakeShare(share)) {
    RETURN_IF_ERROR(share.failure);
    Publish(share);
    epochs_.AddShare(std::move(share));
  }
  return absl::OkStatus();
}

void Ingest::Publish(const EpochShare& share) {
  for (size_t stream = 0; stream < share.streams.size(); ++stream) {
    closed_counts_[stream].Add(share.streams[stream].counts);
    StreamProbe& probe = *probe_.streams[stream];
    for (size_t i = 0; i < share.streams[stream].rulesets.size(); ++i) {
      probe.rulesets[i]->Add(share.streams[stream].rulesets[i]);
    }
  }
  for (const PartitionStateSize& entry : share.state) AddState(entry);
  if (--shares_missing_ > 0) return;
  for (const auto& partition : partitions_) {
    if (partition != nullptr) partition->state = std::exchange(partition->state_to_be, {});
  }
  static_cast<void>(HitFailpoint(Failpoint::kEpochCollected));
  for (size_t stream = 0; stream < closed_counts_.size(); ++stream) {
    // Invariant: every record ends as exactly one of evaluated, skipped or dead-lettered.
    CHECK(closed_counts_[stream].Conserved());
    StreamProbe& probe = *probe_.streams[stream];
    probe.Add(closed_counts_[stream]);
    probe.state_keys.Set(static_cast<int64_t>(state_sizes_[stream].keys));
    probe.state_bytes.Set(static_cast<int64_t>(state_sizes_[stream].bytes));
    state_sizes_[stream] = StateSize();
  }
}

void Ingest::AddState(const PartitionStateSize& entry) {
  const PartitionLease& lease = *entry.lease;
  StateSize& sum = state_sizes_[lease.stream()];
  sum.keys += entry.size.keys;
  sum.bytes += entry.size.bytes;
  probe_.streams[lease.stream()]->state_evictions.Add(entry.size.evictions);
  OpenedPartition* const partition = partitions_[lease.slot()].get();
  if (partition == nullptr || partition->lease != entry.lease) return;
  partition->state_to_be.keys += entry.size.keys;
  partition->state_to_be.bytes += entry.size.bytes;
  partition->evictions += entry.size.evictions;
}

absl::Status Ingest::ApplyChanges() {
  while (!changes_.empty()) {
    const std::vector<PartitionChange> changes = std::exchange(changes_, {});
    for (const PartitionChange& change : changes) {
      if (const auto* opened = std::get_if<PartitionOpened>(&change)) {
        RETURN_IF_ERROR(Open(*opened));
      } else {
        RETURN_IF_ERROR(Close(std::get<PartitionRevoked>(change)));
      }
    }
    UpdateStatus(/*force=*/true);
  }
  return absl::OkStatus();
}

absl::Status Ingest::Open(const PartitionOpened& opened) {
  const uint32_t slot = opened.lease->slot();
  if (partitions_.size() <= slot) partitions_.resize(slot + 1);
  CHECK(partitions_[slot] == nullptr);
  auto partition = std::make_unique<OpenedPartition>();
  partition->lease = opened.lease;
  partition->position = opened.position;
  partition->next_offset = opened.position.replay_from;
  partition->measured_offset = opened.position.replay_from;
  partitions_[slot] = std::move(partition);
  epochs_.OpenPartition(opened.lease, opened.position);
  schedule_.Open(opened.lease, opened.position.activation,
                 opened.state == nullptr ? RestoredState() : *opened.state,
                 clock_.MonotonicMicros());
  const StartPosition& position = opened.position;
  return PostAll(OpenPartition{opened.lease, opened.state, position.state_starts,
                               position.state_gap ? position.replay_from : 0});
}

absl::Status Ingest::Close(const PartitionRevoked& revoked) {
  std::unique_ptr<OpenedPartition>& partition = partitions_[revoked.lease->slot()];
  CHECK(partition != nullptr && partition->lease == revoked.lease);
  if (partition->paused) probe_.paused_partitions.Set(probe_.paused_partitions.value() - 1);
  partition = nullptr;
  epochs_.ClosePartition(revoked.lease);
  schedule_.Close(revoked.lease);
  revoked_.push_back(revoked.lease);
  return PostAll(ClosePartition{revoked.lease});
}

void Ingest::ReleaseRevoked() {
  if (revoked_.empty()) return;
  const bool in_epoch =
      std::any_of(revoked_.begin(), revoked_.end(),
                  [this](const LeasePtr& lease) { return epochs_.Contains(lease); });
  // The source gives them up by itself when the epoch takes too long.
  if (in_epoch) return;
  source_.Release(revoked_);
  revoked_.clear();
}

absl::Status Ingest::Dispatch(std::shared_ptr<RecordBatch> records) {
  auto storage = std::make_shared<EventStorage>();
  storage->records = records;
  router_.Begin(storage, records->records().size());
  if (lagging_) probe_.full_polls.Add(1);
  RETURN_IF_ERROR(DecodeAll(*records, *storage));
  for (uint32_t worker = 0; worker < workers_.size(); ++worker) {
    EventBatch batch = router_.Take(worker);
    if (!batch.events.empty()) RETURN_IF_ERROR(Post(worker, std::move(batch)));
  }
  router_.End();
  return absl::OkStatus();
}

absl::Status Ingest::DecodeAll(const RecordBatch& records, EventStorage& storage) {
  const std::vector<RawRecord>& raw = records.records();
  for (size_t i = 0; i < raw.size();) {
    // Records of one partition come in runs.
    const PartitionLease* const lease = raw[i].lease;
    OpenedPartition* const partition = partitions_[lease->slot()].get();
    const size_t begin = i;
    while (i < raw.size() && raw[i].lease == lease) ++i;
    if (partition == nullptr || partition->lease.get() != lease || partition->paused) continue;
    storage.leases.push_back(partition->lease);
    RETURN_IF_ERROR(DecodeRun(records, begin, i, *partition, storage.arena));
    // What is dropped behind a storm does not count as read.
    size_t read = i;
    while (raw[read - 1].offset >= partition->next_offset) --read;
    CHECK(read > begin);
    const RawRecord& last = raw[read - 1];
    epochs_.Advance(*lease, partition->next_offset, read - begin,
                    MarkOf(last.offset, last.timestamp_ms, last.key, last.value));
  }
  return absl::OkStatus();
}

absl::Status Ingest::DecodeRun(const RecordBatch& records, size_t begin, size_t end,
                               OpenedPartition& partition, Arena& arena) {
  const uint16_t stream = partition.lease->stream();
  Decoder& decoder = *streams_[stream].decoder;
  StreamCounts& counts = open_counts_[stream];
  Event event;  // overwritten by each transaction
  for (size_t i = begin; i < end && !partition.paused; ++i) {
    const RawRecord& record = records.records()[i];
    CHECK(record.offset >= partition.next_offset);
    const bool replayed = record.offset < partition.position.committed;
    const DecodeResult result = decoder.Decode(records, i, arena, event);
    partition.next_offset = record.offset + 1;
    if (!replayed) {
      counts.consumed += 1;
      counts.consumed_bytes += record.key.size() + record.value.size();
    }
    if (result.outcome == DecodeOutcome::kTransaction) {
      event.replayed = replayed;
      if (!replayed) CountTimeSource(event.transaction.time_source, counts);
      if (replayed || record.offset < partition.position.alert_from) {
        event.action = EventAction::kWarm;
      }
      Sample(record, event, partition);
      router_.Add(event);
    } else if (replayed) {
      counts.replayed += 1;
    } else if (result.outcome == DecodeOutcome::kSkip) {
      counts.skipped[static_cast<size_t>(result.skip_reason)] += 1;
    } else {
      RETURN_IF_ERROR(Reject(records, i, result, partition));
      continue;
    }
    if (!replayed) partition.guard.Note(/*rejected=*/false);
  }
  counts.full_parses += decoder.TakeFullParses();
  return absl::OkStatus();
}

void Ingest::Sample(const RawRecord& record, const Event& event, OpenedPartition& partition) {
  // The first thousand, then every thousandth.
  const uint64_t number = partition.key_checks++;
  if (event.replayed || (number >= kKeySamples && number % kKeySamples != 0)) return;
  StreamProbe& probe = *probe_.streams[partition.lease->stream()];
  if (event.commit_time_ms >= 0 && record.timestamp_ms >= 0) {
    probe.cdc_delay.Observe((record.timestamp_ms - event.commit_time_ms) * 1000);
  }
  if (MatchRecordKey(record.key, event.transaction.key) != KeyMatch::kMismatch) return;
  probe.key_mismatches.Add(1);
  LOG(kWarning, "engine",
      "the Kafka key is not the stream's key: payments of one account lie in several partitions "
      "and are "
      "counted apart. Set message.key.columns of the connector to the account's column, and "
      "REPLICA "
      "IDENTITY FULL on the table",
      {{"topic", partition.lease->topic()},
       {"partition", partition.lease->partition()},
       {"offset", record.offset}});
}

absl::Status Ingest::Reject(const RecordBatch& records, size_t index, const DecodeResult& result,
                            OpenedPartition& partition) {
  const RawRecord& record = records.records()[index];
  const uint16_t stream = partition.lease->stream();
  open_counts_[stream].rejected[static_cast<size_t>(result.reject_reason)] += 1;
  OutputRecord output = streams_[stream].dead_letters->EncodeDeadLetter(
      records, index, result.reject_reason, result.detail);
  output.lease = partition.lease;
  output.offset = record.offset;
  epochs_.AddOutput(std::move(output));
  LOG(kWarning, "decode", "record dead-lettered",
      {{"topic", partition.lease->topic()},
       {"partition", partition.lease->partition()},
       {"offset", record.offset},
       {"reason", RejectReasonName(result.reject_reason)},
       {"detail", result.detail}});
  if (!partition.guard.Note(/*rejected=*/true) || !options_.pause_on_storm) {
    return absl::OkStatus();
  }
  partition.paused = true;
  probe_.paused_partitions.Set(probe_.paused_partitions.value() + 1);
  LOG(kError, "engine",
      "reject storm: partition paused. Mend the stream's configuration and restart, or accept the "
      "dead "
      "letters with `caracal resume`",
      {{"topic", partition.lease->topic()},
       {"partition", partition.lease->partition()},
       {"next_offset", partition.next_offset},
       {"last_reason", RejectReasonName(result.reject_reason)},
       {"last_detail", result.detail}});
  UpdateStatus(/*force=*/true);  // `caracal resume` may follow the log line at once
  return source_.Pause(partition.lease, partition.next_offset);
}

absl::Status Ingest::Post(uint32_t worker, WorkerMessage message) {
  while (!workers_.TryPost(worker, message)) {
    // Full: keep the group alive, take no records. Changes wait until the batch is out.
    RETURN_IF_ERROR(Poll(kFullWait, /*want_records=*/false));
    RETURN_IF_ERROR(TakeShares());
    RETURN_IF_ERROR(epochs_.Serve());
  }
  return absl::OkStatus();
}

absl::Status Ingest::PostAll(const WorkerMessage& message) {
  for (uint32_t worker = 0; worker < workers_.size(); ++worker) {
    RETURN_IF_ERROR(std::visit(
        [&](const auto& alternative) -> absl::Status {
          if constexpr (std::is_copy_constructible_v<std::decay_t<decltype(alternative)>>) {
            return Post(worker, WorkerMessage(alternative));
          } else {
            return absl::InternalError("a batch goes to one worker");
          }
        },
        message));
  }
  return absl::OkStatus();
}

absl::Status Ingest::HandOver(absl::Duration timeout) {
  if (snapshots_ == nullptr) return absl::OkStatus();
  const int64_t deadline = clock_.MonotonicMicros() + absl::ToInt64Microseconds(timeout);
  schedule_.HandOver(LivePositions());
  while (schedule_.HandsOver() && clock_.MonotonicMicros() < deadline) RETURN_IF_ERROR(Step());
  return absl::OkStatus();
}

absl::Status Ingest::Drain(absl::Duration timeout) {
  draining_ = true;
  const int64_t deadline = clock_.MonotonicMicros() + absl::ToInt64Microseconds(timeout);
  while (!epochs_.Idle()) {
    if (clock_.MonotonicMicros() >= deadline) {
      return absl::DeadlineExceededError(
          "the last epoch was not committed in time; its records will be judged again");
    }
    if (!epochs_.Committing()) RETURN_IF_ERROR(CloseEpoch());
    RETURN_IF_ERROR(Step());
  }
  return absl::OkStatus();
}

absl::Status Ingest::RequestResume(const std::string& topic, int32_t partition) {
  MutexLock lock(&mutex_);
  const bool known = std::any_of(status_.begin(), status_.end(), [&](const PartitionStatus& entry) {
    return entry.paused && entry.topic == topic && (partition < 0 || entry.partition == partition);
  });
  if (!known) {
    return absl::NotFoundError(fmt::format(
        "no paused partition of topic '{}' here: /status tells what this instance owns", topic));
  }
  resume_requests_.emplace_back(topic, partition);
  source_.Wake();
  return absl::OkStatus();
}

void Ingest::ServeResumeRequests() {
  std::vector<std::pair<std::string, int32_t>> requests;
  {
    MutexLock lock(&mutex_);
    requests.swap(resume_requests_);
  }
  for (const auto& [topic, number] : requests) {
    for (const auto& partition : partitions_) {
      if (partition == nullptr || !partition->paused || partition->lease->topic() != topic)
        continue;
      if (number >= 0 && partition->lease->partition() != number) continue;
      if (absl::Status status = source_.Resume(partition->lease); !status.ok()) {
        LOG(kError, "engine", "cannot resume a partition",
            {{"topic", topic}, {"error", agents::MessageOf(status)}});
        continue;
      }
      partition->paused = false;
      partition->guard.Reset();
      probe_.paused_partitions.Set(probe_.paused_partitions.value() - 1);
      LOG(kInfo, "engine", "partition resumed",
          {{"topic", topic}, {"partition", partition->lease->partition()}});
    }
  }
  if (!requests.empty()) UpdateStatus(/*force=*/true);
}

}  // namespace caracal::pipeline
