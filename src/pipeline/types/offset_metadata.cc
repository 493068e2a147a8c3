#include "pipeline/types/offset_metadata.h"

#include <charconv>

#include <fmt/format.h>

namespace caracal::pipeline {
namespace {

constexpr std::string_view kPrefix = "caracal/1";

bool ParseOffset(std::string_view text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

}  // namespace

std::string FormatOffsetMetadata(const OffsetMetadata& metadata) {
  return fmt::format("{} activation={} alert_from={} rules={}", kPrefix, metadata.activation,
                     metadata.alert_from, metadata.rules);
}

absl::StatusOr<OffsetMetadata> ParseOffsetMetadata(std::string_view text) {
  const auto foreign = [text] {
    return absl::InvalidArgumentError(
        fmt::format("offset metadata '{}' was not written by this version of caracal", text));
  };
  if (text.substr(0, kPrefix.size()) != kPrefix) return foreign();
  std::string_view rest = text.substr(kPrefix.size());
  if (rest.empty() || rest.front() != ' ') return foreign();
  OffsetMetadata metadata;
  bool has_activation = false;
  bool has_alert_from = false;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the space before the field
    const std::string_view field = rest.substr(0, rest.find(' '));
    rest.remove_prefix(field.size());
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) return foreign();
    const std::string_view name = field.substr(0, equals);
    const std::string_view value = field.substr(equals + 1);
    if (name == "activation") {
      has_activation = ParseOffset(value, metadata.activation);
    } else if (name == "alert_from") {
      has_alert_from = ParseOffset(value, metadata.alert_from);
    } else if (name == "rules") {
      metadata.rules = std::string(value);
    }  // Fields of a later minor format are ignored.
  }
  if (!has_activation || !has_alert_from) return foreign();
  return metadata;
}

}  // namespace caracal::pipeline
