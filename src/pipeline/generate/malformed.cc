#include "pipeline/generate/malformed.h"

#include <array>

#include "agents/api/check.h"
#include "pipeline/generate/text_cursor.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kNesting = 2000;
constexpr std::string_view kAmountField = R"("amount":)";
constexpr std::string_view kAccountField = R"("user_id":)";
constexpr std::string_view kCardTypeField = R"("card_type":")";

/// Kinds that need a decimal written in digits come last.
constexpr std::array kKinds = {
    MalformedKind::kTruncated,   MalformedKind::kTrailingBytes, MalformedKind::kNotJson,
    MalformedKind::kEmpty,       MalformedKind::kInvalidUtf8,   MalformedKind::kTooDeep,
    MalformedKind::kNotAnObject, MalformedKind::kNoAmountField, MalformedKind::kNullAccount,
    MalformedKind::kNullAmount,  MalformedKind::kTextAmount,    MalformedKind::kBooleanAmount,
    MalformedKind::kHugeAmount,  MalformedKind::kNanAmount,     MalformedKind::kFractionalAmount,
};
constexpr size_t kDigitsOnlyKinds = 2;

// The value of a member of the row: `begin` behind the colon, `end` at the comma that follows. The
// row's values hold no commas.
struct Member {
  size_t name;
  size_t begin;
  size_t end;
};

Member FindMember(std::string_view value, size_t from, std::string_view name) {
  const size_t at = value.find(name, from);
  CHECK(at != std::string_view::npos);
  const size_t end = value.find(',', at);
  CHECK(end != std::string_view::npos);
  return {at, at + name.size(), end};
}

std::string Replace(std::string_view value, size_t begin, size_t end, std::string_view by) {
  std::string result(value.substr(0, begin));
  result += by;
  result += value.substr(end);
  return result;
}

std::string Base64Of(int64_t unscaled) {
  char buffer[TextCursor::kMaxNumberBytes];
  TextCursor out(buffer);
  out.PutBase64Decimal(unscaled);
  return {buffer, out.position()};
}

// The text that stands for the amount.
std::string BadAmount(MalformedKind kind, DecimalForm decimals) {
  const bool base64 = decimals == DecimalForm::kBase64;
  const bool number = decimals == DecimalForm::kDouble;
  switch (kind) {
    case MalformedKind::kTooDeep:
      return std::string(kNesting, '[') + std::string(kNesting, ']');
    case MalformedKind::kNullAmount:
      return "null";
    case MalformedKind::kTextAmount:
      return R"("twelve?")";
    case MalformedKind::kBooleanAmount:
      return "true";
    case MalformedKind::kNanAmount:
      return number ? R"("NaN")" : R"("NAN")";
    case MalformedKind::kFractionalAmount:
      return number ? "12.345" : R"("12.345")";
    case MalformedKind::kHugeAmount:
      if (base64) return '"' + Base64Of(4'000'000'000'000'000'000) + '"';
      return number ? "4.0E16" : R"("40000000000000000.00")";
    default:
      break;
  }
  CHECK(false);
  return {};
}

}  // namespace

std::string_view MalformedKindName(MalformedKind kind) {
  constexpr std::array<std::string_view, kKinds.size() + 1> kNames = {
      "none",           "truncated",    "trailing_bytes",    "not_json",
      "empty",          "invalid_utf8", "too_deep",          "not_an_object",
      "no_amount",      "null_account", "null_amount",       "text_amount",
      "boolean_amount", "nan_amount",   "fractional_amount", "huge_amount"};
  return kNames[static_cast<size_t>(kind)];
}

RejectReason ExpectedRejectReason(MalformedKind kind) {
  switch (kind) {
    case MalformedKind::kNone:
    case MalformedKind::kTruncated:
    case MalformedKind::kTrailingBytes:
    case MalformedKind::kNotJson:
    case MalformedKind::kEmpty:
      return RejectReason::kMalformedJson;
    case MalformedKind::kInvalidUtf8:
      return RejectReason::kInvalidUtf8;
    case MalformedKind::kTooDeep:
      return RejectReason::kTooDeep;
    case MalformedKind::kNotAnObject:
      return RejectReason::kUnknownFormat;
    case MalformedKind::kNoAmountField:
      return RejectReason::kMissingField;
    case MalformedKind::kNullAccount:
      return RejectReason::kMissingAccount;
    case MalformedKind::kNullAmount:
      return RejectReason::kMissingAmount;
    case MalformedKind::kTextAmount:
    case MalformedKind::kBooleanAmount:
      return RejectReason::kInvalidAmount;
    case MalformedKind::kNanAmount:
      return RejectReason::kAmountNotFinite;
    case MalformedKind::kFractionalAmount:
      return RejectReason::kAmountScale;
    case MalformedKind::kHugeAmount:
      return RejectReason::kAmountOutOfRange;
  }
  return RejectReason::kMalformedJson;
}

std::span<const MalformedKind> MalformedKinds(DecimalForm decimals) {
  const size_t count =
      decimals == DecimalForm::kBase64 ? kKinds.size() - kDigitsOnlyKinds : kKinds.size();
  return std::span(kKinds).first(count);
}

std::string MakeMalformed(MalformedKind kind, DecimalForm decimals, std::string_view value,
                          size_t payload_offset) {
  const Member amount = FindMember(value, payload_offset, kAmountField);
  switch (kind) {
    case MalformedKind::kTruncated:
      return std::string(value.substr(0, amount.begin + 1));
    case MalformedKind::kTrailingBytes:
      return std::string(value) + "}";
    case MalformedKind::kNotJson:
      return "payment declined";
    case MalformedKind::kEmpty:
      return {};
    case MalformedKind::kInvalidUtf8: {
      const Member card = FindMember(value, payload_offset, kCardTypeField);
      return Replace(value, card.begin, card.begin, "\xC3\x28");
    }
    case MalformedKind::kNotAnObject:
      return "[1,2,3]";
    case MalformedKind::kNoAmountField:
      return Replace(value, amount.name, amount.end + 1, "");
    case MalformedKind::kNullAccount: {
      const Member account = FindMember(value, payload_offset, kAccountField);
      return Replace(value, account.begin, account.end, "null");
    }
    default:
      return Replace(value, amount.begin, amount.end, BadAmount(kind, decimals));
  }
}

}  // namespace caracal::pipeline
