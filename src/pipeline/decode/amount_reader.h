#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/decode/column_schema.h"
#include "pipeline/decode/decimal.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/decode/json_token.h"
#include "pipeline/types/arena.h"
#include "pipeline/types/record_outcome.h"

namespace caracal::pipeline {

/// The tokens of an amount; `scale` and `value` are members of `amount` when that is an object.
struct AmountTokens {
  const JsonToken& amount;
  const JsonToken& scale;
  const JsonToken& value;
};

/// What is wrong with an amount: the reason and the rest of a sentence that names the field.
struct AmountProblem {
  RejectReason reason;
  std::string_view text;
};

/// Reads amounts as integer minor units, exactly, never through a double.
///
/// A JSON number is its decimal text. A string is base64 where the schema says Decimal (the scale
/// comes from it, else from `amount_source_scale`), or where no schema describes the column and the
/// stream says base64 or gives a source scale; else it is decimal text. Without schema and without
/// configuration, base64 text is told from decimal text by not being a number, and refused: its
/// scale is unknown. Note that base64 of three bytes may consist of digits only, so a stream of
/// base64 amounts should say so. An object is Debezium's VariableScaleDecimal.
///
/// Immutable; any thread.
class AmountReader {
 public:
  AmountReader(int scale, AmountEncoding encoding, std::optional<int> source_scale)
      : scale_(scale), encoding_(encoding), source_scale_(source_scale) {}

  /// nullopt and `amount` set, or the problem. `arena` takes unescaped text.
  [[nodiscard]] std::optional<AmountProblem> Read(const AmountTokens& tokens,
                                                  const ColumnSchema& schema, Arena& arena,
                                                  int64_t& amount) const;

 private:
  bool HoldsBase64(const ColumnSchema& schema) const;
  /// Of base64 amounts.
  std::optional<int> ScaleOf(const ColumnSchema& schema) const;
  /// Reads what needs no more than its text. False = it is something else.
  bool ReadPlainly(const JsonToken& token, const ColumnSchema& schema, int64_t& amount) const;
  std::optional<AmountProblem> ReadString(const JsonToken& token, const ColumnSchema& schema,
                                          Arena& arena, Decimal& decimal) const;
  std::optional<AmountProblem> ReadBase64(std::string_view text, std::optional<int> scale,
                                          Decimal& decimal) const;

  const int scale_;
  const AmountEncoding encoding_;
  const std::optional<int> source_scale_;
};

}  // namespace caracal::pipeline
