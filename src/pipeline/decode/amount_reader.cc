#include "pipeline/decode/amount_reader.h"

#include <limits>

#include "agents/api/transaction.h"

namespace caracal::pipeline {
namespace {

constexpr AmountProblem kIsNull = {RejectReason::kMissingAmount, "is null"};
constexpr AmountProblem kIsNotANumber = {RejectReason::kInvalidAmount, "is not a number"};
constexpr AmountProblem kIsNotFinite = {RejectReason::kAmountNotFinite, "is NaN or infinite"};
constexpr AmountProblem kIsTooLarge = {RejectReason::kAmountOutOfRange,
                                       "is beyond 10^15 minor units"};
constexpr AmountProblem kHasTooManyDigits = {
    RejectReason::kAmountScale, "has more digits after the point than the stream's amount_scale"};
constexpr AmountProblem kIsNotBase64 = {RejectReason::kInvalidAmount,
                                        "is not a base64 decimal of 1 to 16 bytes"};
constexpr AmountProblem kHasNoScale = {
    RejectReason::kAmountScaleUnknown,
    "is a base64 decimal without a schema that gives its scale: set the stream's source scale, or "
    "decimal.handling.mode=string at the connector"};
constexpr AmountProblem kIsNotVariableScale = {
    RejectReason::kInvalidAmount, "is an object, but not Debezium's {scale, value} decimal"};

std::optional<AmountProblem> ProblemOf(DecimalStatus status) {
  switch (status) {
    case DecimalStatus::kOk:
      return std::nullopt;
    case DecimalStatus::kInvalid:
      return kIsNotANumber;
    case DecimalStatus::kNotFinite:
      return kIsNotFinite;
    case DecimalStatus::kTooLong:
      return kIsTooLarge;
  }
  return kIsNotANumber;
}

std::optional<AmountProblem> ReadVariableScale(const AmountTokens& tokens, Arena& arena,
                                               Decimal& decimal) {
  int64_t scale = 0;
  std::string_view value;
  if (!ReadInt64(tokens.scale, scale) || scale < std::numeric_limits<int32_t>::min() ||
      scale > std::numeric_limits<int32_t>::max() || tokens.value.kind != JsonKind::kString ||
      ReadText(tokens.value, arena, value) != TextStatus::kText) {
    return kIsNotVariableScale;
  }
  const DecimalStatus status = ParseBase64Decimal(value, static_cast<int32_t>(scale), decimal);
  if (status == DecimalStatus::kInvalid) return kIsNotVariableScale;
  return ProblemOf(status);
}

}  // namespace

bool AmountReader::HoldsBase64(const ColumnSchema& schema) const {
  if (schema.type == ColumnType::kDecimal || schema.type == ColumnType::kBytes) return true;
  return schema.type == ColumnType::kUndescribed &&
         (encoding_ == AmountEncoding::kBase64 || source_scale_.has_value());
}

bool AmountReader::ReadPlainly(const JsonToken& token, const ColumnSchema& schema,
                               int64_t& amount) const {
  int64_t units = 0;
  if (token.kind == JsonKind::kString && HoldsBase64(schema)) {
    // A placeholder is longer. What has an escape is no base64.
    if (ScaleOf(schema) != scale_ || !ParseShortBase64(token.text, units)) return false;
  } else {
    const bool is_text = token.kind == JsonKind::kString && token.plain;
    if (!is_text && token.kind != JsonKind::kNumber) return false;
    if (!ParseShortExact(token.text, scale_, units)) return false;
  }
  if (units > agents::kMaxAmount || units < -agents::kMaxAmount) return false;
  amount = units;
  return true;
}

std::optional<int> AmountReader::ScaleOf(const ColumnSchema& schema) const {
  return schema.scale.has_value() ? schema.scale : source_scale_;
}

std::optional<AmountProblem> AmountReader::ReadBase64(std::string_view text,
                                                      std::optional<int> scale,
                                                      Decimal& decimal) const {
  if (!scale.has_value()) return LooksLikeBase64(text) ? kHasNoScale : kIsNotBase64;
  const DecimalStatus status = ParseBase64Decimal(text, *scale, decimal);
  return status == DecimalStatus::kInvalid ? kIsNotBase64 : ProblemOf(status);
}

std::optional<AmountProblem> AmountReader::ReadString(const JsonToken& token,
                                                      const ColumnSchema& schema, Arena& arena,
                                                      Decimal& decimal) const {
  std::string_view text;
  const TextStatus status = ReadText(token, arena, text);
  if (status == TextStatus::kNull) return kIsNull;
  if (status == TextStatus::kUnreadable) return kIsNotANumber;
  if (HoldsBase64(schema)) {
    return ReadBase64(text, ScaleOf(schema), decimal);
  }
  const bool described = schema.type != ColumnType::kUndescribed;
  const DecimalStatus parsed = ParseDecimal(text, decimal);
  if (!described && parsed == DecimalStatus::kInvalid && LooksLikeBase64(text)) return kHasNoScale;
  return ProblemOf(parsed);
}

std::optional<AmountProblem> AmountReader::Read(const AmountTokens& tokens,
                                                const ColumnSchema& schema, Arena& arena,
                                                int64_t& amount) const {
  if (ReadPlainly(tokens.amount, schema, amount)) return std::nullopt;
  Decimal decimal;
  std::optional<AmountProblem> problem;
  switch (tokens.amount.kind) {
    case JsonKind::kAbsent:
    case JsonKind::kNull:
      return kIsNull;
    case JsonKind::kNumber:
      problem = ProblemOf(ParseDecimal(tokens.amount.text, decimal));
      break;
    case JsonKind::kString:
      problem = ReadString(tokens.amount, schema, arena, decimal);
      break;
    case JsonKind::kObject:
      problem = ReadVariableScale(tokens, arena, decimal);
      break;
    case JsonKind::kBool:
    case JsonKind::kArray:
      return kIsNotANumber;
  }
  if (problem.has_value()) return problem;
  switch (ToMinorUnits(decimal, scale_, amount)) {
    case MinorUnitsStatus::kOk:
      return std::nullopt;
    case MinorUnitsStatus::kInexact:
      return kHasTooManyDigits;
    case MinorUnitsStatus::kOutOfRange:
      return kIsTooLarge;
  }
  return kIsNotANumber;
}

}  // namespace caracal::pipeline
