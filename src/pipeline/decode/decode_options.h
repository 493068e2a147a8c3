#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/decode/place_table.h"

namespace caracal::pipeline {

/// How the JSON of a stream is laid out.
enum class StreamFormat : uint8_t {
  kAuto,          ///< each message says it by its own bytes (see README.md)
  kDebeziumJson,  ///< Debezium envelopes, bare or wrapped in {"schema":..,"payload":..}
  kRowJson,       ///< flat rows, bare or wrapped; needed when a column has an envelope's name
};

/// How amounts are written when no schema block says it.
enum class AmountEncoding : uint8_t {
  kAuto,    ///< decimal text, numbers and {scale,value}; base64 if amount_source_scale is set
  kBase64,  ///< strings are base64 two's complement (Debezium's default, decimal "precise")
};

/// Unit of integer times when no schema block says it.
enum class TimeUnit : uint8_t {
  kAuto,          ///< by number of digits, see event_time.h
  kDays,          ///< days since 1970
  kMilliseconds,  ///< since 1970, and so on
  kMicroseconds,
  kNanoseconds,
  kIso,  ///< ISO 8601 text only; a number is an invalid value
};

/// What the stream does with one kind of change.
enum class OperationPolicy : uint8_t {
  kEvaluate,  ///< changes the state and may alert
  kWarm,      ///< changes the state, raises nothing
  kSkip,      ///< counted, otherwise ignored
};

/// One policy per Debezium operation.
struct OperationPolicies {
  OperationPolicy create = OperationPolicy::kEvaluate;
  OperationPolicy read = OperationPolicy::kWarm;
  OperationPolicy update = OperationPolicy::kSkip;
  OperationPolicy remove = OperationPolicy::kSkip;
};

/// An attribute slot of the stream and the column it is read from; no column = only the place table
/// fills it.
struct AttributeColumn {
  std::string name;
  std::string column;
};

/// Which column plays which part. Empty = not mapped.
struct FieldMap {
  std::string account;  ///< required
  std::string key;      ///< of the stream; empty = the account
  std::string id;
  std::string amount;
  std::string time;
  std::string latitude;
  std::string longitude;
  std::string currency;
  /// In the slot order of the stream's AttributeSchema.
  std::vector<AttributeColumn> attributes;
};

/// Everything a Decoder must know about its stream. Plain; copied into the Decoder.
struct DecodeOptions {
  std::string topic;
  StreamFormat format = StreamFormat::kAuto;
  FieldMap fields;
  OperationPolicies operations;

  /// Decimal digits of the minor unit: 2 = cents. 0..15.
  int amount_scale = 2;
  AmountEncoding amount_encoding = AmountEncoding::kAuto;
  /// Digits after the point of base64 amounts that come without a schema. -38..38.
  std::optional<int> amount_source_scale;
  /// ISO 4217 code every row has; empty = undeclared. A mapped column must then agree with it.
  std::string currency;
  /// The attribute that is the transaction's currency for rules: in capitals, however the row
  /// writes it.
  std::string currency_attribute = "currency";

  TimeUnit time_unit = TimeUnit::kAuto;
  /// An event time further than this past the commit (else record) timestamp is not believed.
  int64_t max_ahead_us = 300'000'000;

  /// Gives rows without coordinates a location, by the text of `place_attribute`; it also fills the
  /// attribute named `country_attribute` where the row has none. Null = no table.
  std::shared_ptr<const PlaceTable> places;
  std::string place_attribute = "merchant";
  std::string country_attribute = "country";

  /// Of key hashes and row tags; the same for all members of the group.
  uint64_t hash_seed = 0;

  /// Longer values are rejected unread. 1..64 MiB.
  size_t max_record_bytes = 1024 * 1024;
  /// Nesting of objects and arrays, the outermost counted. 1..512.
  size_t max_depth = 64;

  // Performance only: never changes a result.

  /// Message layouts remembered per decoder; 0 = every message takes the full parse. 0..64.
  size_t max_layouts = 16;
};

/// OK, or what is wrong with `options` and how to mend it.
absl::Status ValidateDecodeOptions(const DecodeOptions& options);

}  // namespace caracal::pipeline
