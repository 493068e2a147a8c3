#include "pipeline/decode/decode_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMaxRecordBytesLimit = 64 * 1024 * 1024;
constexpr size_t kMaxDepthLimit = 512;
constexpr size_t kMaxLayoutsLimit = 64;
constexpr int kMaxAmountScale = 15;
constexpr int kMaxSourceScale = 38;
constexpr size_t kMaxAttributes = 256;

absl::Status CheckRange(std::string_view name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} is {}; it must lie in {}..{}", name, value, low, high));
}

bool HasAttribute(const DecodeOptions& options, std::string_view name) {
  return std::any_of(options.fields.attributes.begin(), options.fields.attributes.end(),
                     [&](const AttributeColumn& attribute) { return attribute.name == name; });
}

absl::Status CheckFields(const DecodeOptions& options) {
  const FieldMap& fields = options.fields;
  if (fields.account.empty()) {
    return absl::InvalidArgumentError("no column is mapped as account: map fields.account");
  }
  if (fields.latitude.empty() != fields.longitude.empty()) {
    return absl::InvalidArgumentError(
        "only one of latitude and longitude is mapped: map both or neither");
  }
  if (fields.attributes.size() > kMaxAttributes) {
    return absl::InvalidArgumentError(
        fmt::format("{} attributes are mapped; at most {} are allowed", fields.attributes.size(),
                    kMaxAttributes));
  }
  for (size_t i = 0; i < fields.attributes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (fields.attributes[i].name == fields.attributes[j].name) {
        return absl::InvalidArgumentError(
            fmt::format("attribute '{}' is mapped twice", fields.attributes[i].name));
      }
    }
  }
  if (options.places != nullptr && !HasAttribute(options, options.place_attribute)) {
    return absl::InvalidArgumentError(
        fmt::format("the place table is looked up by attribute '{}', which is not mapped",
                    options.place_attribute));
  }
  return absl::OkStatus();
}

absl::Status CheckCurrency(const std::string& currency) {
  const bool is_code =
      currency.size() == 3 &&
      std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (currency.empty() || is_code) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("currency '{}' is not an ISO 4217 code such as EUR", currency));
}

}  // namespace

absl::Status ValidateDecodeOptions(const DecodeOptions& options) {
  RETURN_IF_ERROR(CheckFields(options));
  RETURN_IF_ERROR(CheckCurrency(options.currency));
  RETURN_IF_ERROR(CheckRange("amount_scale", options.amount_scale, 0, kMaxAmountScale));
  RETURN_IF_ERROR(CheckRange("amount_source_scale", options.amount_source_scale.value_or(0),
                             -kMaxSourceScale, kMaxSourceScale));
  RETURN_IF_ERROR(CheckRange("max_ahead in microseconds", options.max_ahead_us, 0,
                             int64_t{366} * 86'400 * 1'000'000));
  RETURN_IF_ERROR(CheckRange("max_record_bytes", static_cast<int64_t>(options.max_record_bytes), 1,
                             kMaxRecordBytesLimit));
  RETURN_IF_ERROR(
      CheckRange("max_depth", static_cast<int64_t>(options.max_depth), 1, kMaxDepthLimit));
  return CheckRange("max_layouts", static_cast<int64_t>(options.max_layouts), 0, kMaxLayoutsLimit);
}

}  // namespace caracal::pipeline
