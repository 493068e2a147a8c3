#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/decode/json_tape.h"

namespace caracal::pipeline {

/// What the JSON value of a column means, as far as its Kafka Connect schema says it.
enum class ColumnType : uint8_t {
  kUndescribed,           ///< no schema block came, or it does not describe the column
  kOther,                 ///< a type without special meaning: text, numbers, booleans
  kDecimal,               ///< Connect's Decimal: base64 (or a number, by decimal.format=NUMERIC)
  kBytes,                 ///< bytes without a logical type: base64 of unknown scale
  kVariableScaleDecimal,  ///< Debezium's {scale,value}
  kDays,                  ///< since 1970, and so on
  kMilliseconds,
  kMicroseconds,
  kNanoseconds,
  kIsoTime,    ///< ISO 8601 text with a date in it
  kTimeOfDay,  ///< a time without a date: no point in time
};

/// The described column of a row. A value.
struct ColumnSchema {
  ColumnType type = ColumnType::kUndescribed;
  /// Digits after the point; kDecimal only, and missing when the schema forgets it.
  std::optional<int32_t> scale;
  /// The default is the instant zero (0, or its ISO text), which Connect's JsonConverter puts in
  /// the place of NULL.
  bool zero_default = false;
};

/// Reads the schema of `column` from the `schema` member of a wrapped message. `row` names the row
/// in an envelope ("after", "before"); empty = the payload itself is the row. A schema that has
/// another shape than Connect's describes nothing.
ColumnSchema ReadColumnSchema(const JsonTape& tape, uint32_t schema, std::string_view row,
                              std::string_view column);

}  // namespace caracal::pipeline
