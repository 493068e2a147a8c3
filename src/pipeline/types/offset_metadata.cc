#include "pipeline/types/offset_metadata.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kPrefix = "caracal/1";

template <typename Number>
bool ParseNumber(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseOffset(std::string_view text, int64_t& value) {
  return ParseNumber(text, value, 10) && value >= 0;
}

/// Takes the part up to the next `separator` off the front of `text`, and the separator.
std::string_view TakePart(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool ParseActivations(std::string_view text, std::vector<Activation>& activations) {
  while (!text.empty()) {
    std::string_view entry = TakePart(text, ',');
    Activation activation;
    if (!ParseOffset(TakePart(entry, ':'), activation.offset)) return false;
    if (!activations.empty() && activation.offset <= activations.back().offset) return false;
    activation.rules = std::string(entry);
    activations.push_back(std::move(activation));
  }
  return activations.size() > 1 && activations.size() <= OffsetMetadata::kActivationsMax;
}

bool ParseMark(std::string_view text, RecordMark& mark) {
  return ParseOffset(TakePart(text, ':'), mark.offset) &&
         ParseNumber(TakePart(text, ':'), mark.timestamp_ms, 10) &&
         ParseNumber(text, mark.hash, 16);
}

struct Presence {
  bool activation = false;
  bool alert_from = false;
};

/// False = the field has no value that we write. Fields of a later minor format are ignored.
bool ParseField(std::string_view name, std::string_view value, OffsetMetadata& metadata,
                Presence& has) {
  if (name == "activation") return has.activation = ParseOffset(value, metadata.activation);
  if (name == "alert_from") return has.alert_from = ParseOffset(value, metadata.alert_from);
  if (name == "rules") metadata.rules = std::string(value);
  if (name == "activations") return ParseActivations(value, metadata.activations);
  if (name == "last") return ParseMark(value, metadata.last);
  return true;
}

/// What is said twice must agree.
bool IsConsistent(const OffsetMetadata& metadata) {
  return metadata.activations.empty() ||
         (metadata.activations.front().offset == metadata.activation &&
          metadata.activations.back().rules == metadata.rules);
}

}  // namespace

std::vector<Activation> ActivationsOf(const OffsetMetadata& metadata) {
  if (!metadata.activations.empty()) return metadata.activations;
  return {{metadata.activation, metadata.rules}};
}

OffsetMetadata MetadataOf(std::vector<Activation> activations, int64_t alert_from) {
  CHECK(!activations.empty());
  OffsetMetadata metadata = {activations.front().offset, alert_from, activations.back().rules};
  if (activations.size() > 1) metadata.activations = std::move(activations);
  return metadata;
}

std::string FormatOffsetMetadata(const OffsetMetadata& metadata) {
  std::string text = fmt::format("{} activation={} alert_from={} rules={}", kPrefix,
                                 metadata.activation, metadata.alert_from, metadata.rules);
  for (size_t i = 0; i < metadata.activations.size(); ++i) {
    text += fmt::format("{}{}:{}", i == 0 ? " activations=" : ",", metadata.activations[i].offset,
                        metadata.activations[i].rules);
  }
  if (metadata.last.offset >= 0) {
    text += fmt::format(" last={}:{}:{:016x}", metadata.last.offset, metadata.last.timestamp_ms,
                        metadata.last.hash);
  }
  return text;
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
  Presence has;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the space before the field
    const std::string_view field = rest.substr(0, rest.find(' '));
    rest.remove_prefix(field.size());
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) return foreign();
    if (!ParseField(field.substr(0, equals), field.substr(equals + 1), metadata, has)) {
      return foreign();
    }
  }
  if (!has.activation || !has.alert_from || !IsConsistent(metadata)) return foreign();
  return metadata;
}

}  // namespace caracal::pipeline
