#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/generate/agenda.h"
#include "pipeline/generate/arrival_clock.h"
#include "pipeline/generate/generated_record.h"
#include "pipeline/generate/generator_options.h"
#include "pipeline/generate/payment_model.h"
#include "pipeline/generate/random.h"
#include "pipeline/generate/record_renderer.h"
#include "pipeline/generate/row_log.h"

namespace caracal::pipeline {

/// Makes an endless, deterministic stream of change events of a payments table, to be pulled one by
/// one: what the command `generate`, the demo and the benchmarks feed. No I/O, no wall clock, no
/// allocation per ordinary record; equal options give equal bytes on every host.
///
///   payment model --> row --> noise (late, update, delete, duplicate, ...) --> renderer --> record
///
/// Rows arrive as ArrivalClock says. A record is sent when its row is committed, so source.ts_ms
/// never decreases, while created_at does where payments are late. One thread at a time.
class EventGenerator {
 public:
  /// InvalidArgument as ValidateGeneratorOptions. Allocates 16 bytes per account.
  static absl::StatusOr<std::unique_ptr<EventGenerator>> Create(const GeneratorOptions& options);

  EventGenerator(const EventGenerator&) = delete;
  EventGenerator& operator=(const EventGenerator&) = delete;

  /// The next record; its views live until the next call. False when the ids of the table (2^31 in
  /// the reference profile) or the years of the calendar (up to 2261) have run out.
  bool Next(GeneratedRecord& record);
  /// With time.realtime: the present, in microseconds since 1970. Going back has no effect.
  void SetNow(int64_t now_us) { clock_.SkipTo(now_us); }

  const GeneratorOptions& options() const { return options_; }
  /// The shops and their places; null in the reference profile. Lives as long as the generator.
  const MerchantDirectory* merchants() const { return model_->merchants(); }

 private:
  explicit EventGenerator(const GeneratorOptions& options);

  RecordKind DrawKind();
  bool Arrive(int64_t now_us, GeneratedRecord& record);
  bool SendPayment(int64_t now_us, GeneratedRecord& record);
  bool SendAgain(RecordKind kind, int64_t now_us, GeneratedRecord& record);
  bool SendUpdate(int64_t now_us, GeneratedRecord& record);
  bool SendDelete(int64_t now_us, GeneratedRecord& record);
  bool SendMalformed(int64_t now_us, GeneratedRecord& record);
  void SendTombstone(GeneratedRecord& record);
  void SendRow(RecordKind kind, const Payment& payment, int64_t now_us, GeneratedRecord& record);
  bool HoldBack(const Payment& payment, int64_t now_us);
  Change NewChange(char op, int64_t now_us);
  void Stamp(int64_t now_us, Change& change);
  void Finish(RecordKind kind, const Change& change, const Payment* before, const Payment* after,
              GeneratedRecord& record);
  void Place(GeneratedRecord& record);

  static constexpr size_t kNoiseKinds = 5;

  const GeneratorOptions options_;
  std::unique_ptr<PaymentModel> model_;
  RecordRenderer renderer_;
  ArrivalClock clock_;
  Random random_;
  Agenda agenda_;
  RowLog log_;
  /// Cumulated probabilities of kNoiseKindOrder.
  std::array<uint64_t, kNoiseKinds> noise_thresholds_{};
  uint64_t late_threshold_ = 0;
  bool keeps_log_ = false;

  int64_t next_id_;
  uint64_t snapshot_rows_sent_ = 0;
  int64_t transaction_id_;
  int64_t lsn_;
  int64_t last_commit_lsn_ = 0;
  uint64_t records_ = 0;
  std::vector<uint64_t> partition_records_;
  bool tombstone_due_ = false;
  /// What the current record points to.
  Payment row_;
  Payment before_;
  Change change_;
  std::string malformed_value_;
};

}  // namespace caracal::pipeline
