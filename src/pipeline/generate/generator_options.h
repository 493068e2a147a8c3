#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "pipeline/generate/cards_model.h"

namespace caracal::pipeline {

enum class LoadProfile : uint8_t {
  kCards,      ///< card payments with places and planted fraud (CardsModel)
  kReference,  ///< the uniform teaching data set (ReferenceModel)
};

enum class MessageShape : uint8_t {
  kWrapped,  ///< {"schema":..,"payload":..}: Debezium, JsonConverter with schemas.enable
  kBare,     ///< the Debezium envelope alone
  kFlat,     ///< the row alone, as the ExtractNewRecordState transform leaves it
};

/// Debezium's decimal.handling.mode.
enum class DecimalForm : uint8_t {
  kString,  ///< "12.50"
  kBase64,  ///< "BOI=" (mode precise)
  kDouble,  ///< 12.5
};

enum class MessageKey : uint8_t {
  kAccount,  ///< {"user_id":42}: the connector's message.key.columns
  kId,       ///< {"id":7}: the primary key, Debezium's default
};

/// How event time passes.
struct TimeOptions {
  /// Rows per second of event time, daily mean; 0 = 100 (cards) or 2000 (reference). At most 10^7;
  /// cards needs 40 accounts per unit.
  double event_rate = 0;
  /// Microseconds since 1970, in [2002-01-01, 2200-01-01). Default 2026-01-05T09:00:00Z.
  int64_t start_us = 1'767'603'600'000'000;
  /// The rate follows the hour of the day. cards only.
  bool diurnal = true;
  /// Event time is what EventGenerator::SetNow says; event_rate is then only what is expected.
  bool realtime = false;
};

/// What makes a stream untidy. Shares are of all arrivals, in [0, 1], together at most 1.
struct NoiseOptions {
  /// Payments sent later than made: by 1 s to late_max, uniform, out of order.
  double late = 0;
  int64_t late_max_us = 90'000'000;
  /// Re-deliveries of one of the last 4,096 rows, with the same source position.
  double duplicates = 0;
  /// op u: a recent row gets another amount.
  double updates = 0;
  /// op d of a recent row, and its tombstone.
  double deletes = 0;
  /// op r of a recent row: an incremental snapshot passing over it.
  double resnapshots = 0;
  /// Records that yield no transaction (MalformedKind).
  double malformed = 0;
  /// The first so many rows are an initial snapshot (op r, nothing planted).
  uint64_t snapshot_rows = 0;
};

/// What the messages look like.
struct MessageOptions {
  MessageShape shape = MessageShape::kBare;
  DecimalForm decimals = DecimalForm::kString;
  MessageKey key = MessageKey::kAccount;
  /// Debezium's topic.prefix (`source.name`), database, schema and table.
  std::string source_name = "bank";
  std::string database = "bank";
  std::string schema = "public";
  std::string table = "transactions";
  /// ISO 4217, in the cards profile's currency column.
  std::string currency = "EUR";
};

/// Everything that decides what EventGenerator makes. Equal options give equal bytes (without
/// realtime).
struct GeneratorOptions {
  LoadProfile profile = LoadProfile::kCards;
  uint64_t seed = 1;
  /// The `id` of the first row.
  int64_t first_id = 1;
  /// Partitions of the topic, for GeneratedRecord::partition; 0 = leave it to the caller.
  int32_t partitions = 0;
  /// Every record goes to this partition; -1 = by key.
  int32_t fixed_partition = -1;
  /// cards only; its seed is the one above.
  CardsModelOptions cards;
  TimeOptions time;
  NoiseOptions noise;
  MessageOptions message;

  /// time.event_rate, or the profile's default.
  double EffectiveEventRate() const;
};

/// InvalidArgument with a sentence that names the option as the command line spells it.
absl::Status ValidateGeneratorOptions(const GeneratorOptions& options);

}  // namespace caracal::pipeline
