#include "pipeline/generate/event_generator.h"

#include <algorithm>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/generate/murmur2.h"
#include "pipeline/generate/reference_model.h"

namespace caracal::pipeline {
namespace {

constexpr std::array kNoiseKindOrder = {RecordKind::kUpdate, RecordKind::kDelete,
                                        RecordKind::kDuplicate, RecordKind::kResnapshot,
                                        RecordKind::kMalformed};

constexpr int64_t kLastTimeUs = 9'183'110'400'000'000;  // 2261-01-01
constexpr int64_t kSecondUs = 1'000'000;

/// From created_at (the transaction's start) to its commit.
constexpr int64_t kCommitDelayUs = 1'200;
/// From the commit to the connector's sending it: 40 ms to 140 ms.
constexpr int64_t kShortestSendDelayNs = 40'000'000;
constexpr uint64_t kSendDelaySpreadNs = 100'000'000;

constexpr int64_t kFirstTransactionId = 751;
constexpr int64_t kFirstLsn = 26'854'952;
constexpr int64_t kRowLsnBytes = 176;
constexpr int64_t kCommitLsnBytes = 56;

std::unique_ptr<PaymentModel> MakeModel(const GeneratorOptions& options) {
  if (options.profile == LoadProfile::kReference) return std::make_unique<ReferenceModel>();
  CardsModelOptions cards = options.cards;
  cards.seed = options.seed;
  return std::make_unique<CardsModel>(cards);
}

std::array<uint64_t, kNoiseKindOrder.size()> NoiseThresholds(const NoiseOptions& noise) {
  const std::array<double, kNoiseKindOrder.size()> shares = {
      noise.updates, noise.deletes, noise.duplicates, noise.resnapshots, noise.malformed};
  std::array<uint64_t, kNoiseKindOrder.size()> thresholds{};
  double sum = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    sum += shares[i];
    thresholds[i] = ShareThreshold(sum);
  }
  return thresholds;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventGenerator>> EventGenerator::Create(
    const GeneratorOptions& options) {
  RETURN_IF_ERROR(ValidateGeneratorOptions(options));
  return std::unique_ptr<EventGenerator>(new EventGenerator(options));
}

EventGenerator::EventGenerator(const GeneratorOptions& options)
    : options_(options),
      model_(MakeModel(options)),
      renderer_(options.profile, options.message),
      clock_(options.EffectiveEventRate(), options.time.start_us,
             options.time.diurnal && options.profile == LoadProfile::kCards),
      random_(options.seed),
      noise_thresholds_(NoiseThresholds(options.noise)),
      late_threshold_(ShareThreshold(options.noise.late)),
      next_id_(options.first_id),
      transaction_id_(kFirstTransactionId),
      lsn_(kFirstLsn),
      partition_records_(static_cast<size_t>(std::max(options.partitions, 1))) {
  const NoiseOptions& noise = options.noise;
  keeps_log_ = noise.updates + noise.deletes + noise.duplicates + noise.resnapshots > 0;
}

bool EventGenerator::Next(GeneratedRecord& record) {
  const int64_t last_id = options_.profile == LoadProfile::kReference ? INT32_MAX : INT64_MAX / 2;
  if (tombstone_due_) {
    SendTombstone(record);
    return true;
  }
  while (next_id_ <= last_id && clock_.next_us() < kLastTimeUs) {
    const int64_t now_us = clock_.next_us();
    if (agenda_.HasDue(now_us)) {
      const Agenda::Item item = agenda_.Take();
      if (item.late) model_->Release(item.payment);
      SendRow(RecordKind::kPayment, item.payment, item.due_us, record);
      return true;
    }
    if (!options_.time.realtime) clock_.Advance();
    if (Arrive(now_us, record)) return true;
  }
  return false;
}

RecordKind EventGenerator::DrawKind() {
  const bool snapshotting = snapshot_rows_sent_ < options_.noise.snapshot_rows;
  if (noise_thresholds_.back() == 0 || snapshotting) return RecordKind::kPayment;
  const uint64_t bits = random_.Next();
  for (size_t i = 0; i < noise_thresholds_.size(); ++i) {
    if (bits < noise_thresholds_[i]) return kNoiseKindOrder[i];
  }
  return RecordKind::kPayment;
}

bool EventGenerator::Arrive(int64_t now_us, GeneratedRecord& record) {
  const RecordKind kind = DrawKind();
  switch (kind) {
    case RecordKind::kUpdate:
      return SendUpdate(now_us, record) || SendPayment(now_us, record);
    case RecordKind::kDelete:
      return SendDelete(now_us, record) || SendPayment(now_us, record);
    case RecordKind::kDuplicate:
    case RecordKind::kResnapshot:
      return SendAgain(kind, now_us, record) || SendPayment(now_us, record);
    case RecordKind::kMalformed:
      return SendMalformed(now_us, record);
    default:
      return SendPayment(now_us, record);
  }
}

bool EventGenerator::SendPayment(int64_t now_us, GeneratedRecord& record) {
  const bool snapshotting = snapshot_rows_sent_ < options_.noise.snapshot_rows;
  Payment payment;
  if (!model_->Draw(now_us, !snapshotting, random_, agenda_, payment)) {
    clock_.SkipTo(now_us + kSecondUs);
    return false;
  }
  if (!snapshotting && HoldBack(payment, now_us)) return false;
  SendRow(snapshotting ? RecordKind::kSnapshot : RecordKind::kPayment, payment, now_us, record);
  return true;
}

bool EventGenerator::HoldBack(const Payment& payment, int64_t now_us) {
  if (late_threshold_ == 0 || payment.mark.kind != EpisodeKind::kNone) return false;
  if (!random_.Chance(late_threshold_)) return false;
  model_->Hold(payment);
  agenda_.Add(now_us + random_.Between(kSecondUs, options_.noise.late_max_us), payment, true);
  return true;
}

void EventGenerator::SendRow(RecordKind kind, const Payment& payment, int64_t now_us,
                             GeneratedRecord& record) {
  row_ = payment;
  row_.id = next_id_++;
  if (kind == RecordKind::kSnapshot) {
    const uint64_t rows = options_.noise.snapshot_rows;
    change_ = {};
    change_.op = 'r';
    change_.snapshot = snapshot_rows_sent_ + 1 == rows ? "last"
                       : snapshot_rows_sent_ == 0      ? "first"
                                                       : "true";
    ++snapshot_rows_sent_;
    change_.transaction_id = transaction_id_;
    change_.lsn = lsn_;
    Stamp(now_us, change_);
  } else {
    change_ = NewChange('c', now_us);
  }
  if (keeps_log_) log_.Add(row_, change_);
  Finish(kind, change_, nullptr, &row_, record);
}

bool EventGenerator::SendAgain(RecordKind kind, int64_t now_us, GeneratedRecord& record) {
  const bool duplicate = kind == RecordKind::kDuplicate;
  RowLog::Entry* entry =
      log_.Pick(random_, duplicate ? RowLog::Wanted::kAsInserted : RowLog::Wanted::kAny);
  if (entry == nullptr) return false;
  row_ = entry->row;
  if (duplicate) {
    // A re-delivery repeats the source position; only the connector's time is new.
    change_ = entry->change;
    const int64_t commit_us = change_.commit_us;
    Stamp(now_us, change_);
    change_.commit_us = commit_us;
  } else {
    change_ = NewChange('r', now_us);
    change_.snapshot = "incremental";
  }
  Finish(kind, change_, nullptr, &row_, record);
  return true;
}

bool EventGenerator::SendUpdate(int64_t now_us, GeneratedRecord& record) {
  RowLog::Entry* entry = log_.Pick(random_, RowLog::Wanted::kNormal);
  if (entry == nullptr) return false;
  before_ = entry->row;
  row_ = entry->row;
  row_.amount = model_->DrawAmount(row_, random_);
  entry->row = row_;
  entry->updated = true;
  change_ = NewChange('u', now_us);
  Finish(RecordKind::kUpdate, change_, &before_, &row_, record);
  return true;
}

bool EventGenerator::SendDelete(int64_t now_us, GeneratedRecord& record) {
  RowLog::Entry* entry = log_.Pick(random_, RowLog::Wanted::kNormal);
  if (entry == nullptr) return false;
  before_ = entry->row;
  entry->deleted = true;
  change_ = NewChange('d', now_us);
  Finish(RecordKind::kDelete, change_, &before_, nullptr, record);
  tombstone_due_ = true;
  return true;
}

void EventGenerator::SendTombstone(GeneratedRecord& record) {
  tombstone_due_ = false;
  record = {};
  record.kind = RecordKind::kTombstone;
  record.key = renderer_.RenderKey(before_);
  record.before = &before_;
  record.timestamp_ms = change_.sent_ns / 1'000'000;
  Place(record);
}

bool EventGenerator::SendMalformed(int64_t now_us, GeneratedRecord& record) {
  const auto kinds = MalformedKinds(options_.message.decimals);
  const MalformedKind kind = kinds[random_.Below(kinds.size())];
  Agenda unused;
  if (!model_->Draw(now_us, false, random_, unused, row_)) {
    clock_.SkipTo(now_us + kSecondUs);
    return false;
  }
  model_->Discard(row_);
  row_.id = next_id_++;
  change_ = NewChange('c', now_us);
  Finish(RecordKind::kMalformed, change_, nullptr, &row_, record);
  malformed_value_ =
      MakeMalformed(kind, options_.message.decimals, record.value, renderer_.payload_offset());
  record.value = malformed_value_;
  record.malformed = kind;
  return true;
}

Change EventGenerator::NewChange(char op, int64_t now_us) {
  Change change;
  change.op = op;
  change.transaction_id = ++transaction_id_;
  change.lsn = lsn_;
  change.previous_commit_lsn = last_commit_lsn_;
  last_commit_lsn_ = lsn_ + kRowLsnBytes;
  lsn_ = last_commit_lsn_ + kCommitLsnBytes;
  Stamp(now_us, change);
  return change;
}

void EventGenerator::Stamp(int64_t now_us, Change& change) {
  change.commit_us = now_us + kCommitDelayUs;
  change.sent_ns = change.commit_us * 1000 + kShortestSendDelayNs +
                   static_cast<int64_t>(ScaleTo(Mix64(records_), kSendDelaySpreadNs));
}

void EventGenerator::Finish(RecordKind kind, const Change& change, const Payment* before,
                            const Payment* after, GeneratedRecord& record) {
  record = {};
  record.kind = kind;
  record.key = renderer_.RenderKey(after != nullptr ? *after : *before);
  record.value = renderer_.RenderValue(change, before, after);
  record.row = after;
  record.before = before;
  record.timestamp_ms = change.sent_ns / 1'000'000;
  Place(record);
}

void EventGenerator::Place(GeneratedRecord& record) {
  record.position = records_++;
  if (options_.fixed_partition >= 0) {
    record.partition = options_.fixed_partition;
  } else if (options_.partitions > 0) {
    record.partition = JavaPartition(record.key, options_.partitions);
  }
  const bool counted = options_.partitions > 0 && record.partition >= 0;
  record.offset = partition_records_[counted ? static_cast<size_t>(record.partition) : 0]++;
}

}  // namespace caracal::pipeline
