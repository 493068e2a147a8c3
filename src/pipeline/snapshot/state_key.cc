#include "pipeline/snapshot/state_key.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kChunkKind = "bucket";
constexpr std::string_view kChangesKind = "changes";
constexpr std::string_view kRulesKind = "rules";
constexpr std::string_view kRulesetKind = "ruleset";
constexpr size_t kTopicBytesMax = 249;
constexpr size_t kDigestDigits = 32;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsTopicName(std::string_view name) {
  const auto legal = [](char c) {
    return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kTopicBytesMax &&
         std::all_of(name.begin(), name.end(), legal);
}

bool IsKind(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), IsLowerOrDigit);
}

/// Takes the part up to the next '/' off the front of `text`; nullopt = there is none.
std::optional<std::string_view> TakePart(std::string_view& text) {
  const size_t end = text.find('/');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end + 1);
  return part;
}

/// A number without sign and leading zeros that fits.
template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  if (text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseHex(std::string_view text, uint64_t& number) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(text.begin(), text.end(), digit)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseDigest(std::string_view text, agents::StateDigest& digest) {
  return text.size() == kDigestDigits && ParseHex(text.substr(0, kDigestDigits / 2), digest.high) &&
         ParseHex(text.substr(kDigestDigits / 2), digest.low);
}

/// Reads what follows kind and format.
bool ParseChunk(std::string_view text, bool is_whole, ChunkKey& key) {
  const auto next = [&text] { return TakePart(text).value_or(std::string_view()); };
  const std::string_view topic = next();
  if (!IsTopicName(topic)) return false;
  key.place.topic = topic;
  SnapshotId& snapshot = key.snapshot;
  return ParseNumber(next(), key.place.partition) && ParseNumber(next(), key.place.bucket) &&
         ParseDigest(next(), snapshot.layout) && (is_whole || ParseNumber(next(), snapshot.base)) &&
         ParseNumber(next(), snapshot.offset) && snapshot.base < snapshot.offset &&
         ParseNumber(text, key.index);
}

/// Reads what follows the kind.
StateKey ParseRulesKey(StateKeyKind kind, std::string_view text) {
  uint32_t format = 0;
  const std::optional<std::string_view> version = TakePart(text);
  StateKey key;
  if (!version.has_value() || !ParseNumber(*version, format)) return key;
  key.kind = format == kRulesFormat ? kind : StateKeyKind::kOtherKind;
  key.name = std::string(text);
  return key;
}

}  // namespace

std::string FormatRulesKey(std::string_view hash) {
  return fmt::format("{}/{}/{}", kRulesKind, kRulesFormat, hash);
}

std::string FormatRulesetKey(std::string_view version) {
  return fmt::format("{}/{}/{}", kRulesetKind, kRulesFormat, version);
}

std::string FormatChunkKey(const ChunkKey& key) {
  CHECK(IsTopicName(key.place.topic));
  const SnapshotId& snapshot = key.snapshot;
  CHECK(key.place.partition >= 0 && snapshot.offset >= 0);
  CHECK(snapshot.is_whole() || (snapshot.base >= 0 && snapshot.base < snapshot.offset));
  return fmt::format(
      "{}/{}/{}/{}/{}/{:016x}{:016x}/{}{}/{}", snapshot.is_whole() ? kChunkKind : kChangesKind,
      kSnapshotFormat, key.place.topic, key.place.partition, key.place.bucket, snapshot.layout.high,
      snapshot.layout.low, snapshot.is_whole() ? "" : fmt::format("{}/", snapshot.base),
      snapshot.offset, key.index);
}

StateKey ParseStateKey(std::string_view text) {
  StateKey key;
  const std::optional<std::string_view> kind = TakePart(text);
  if (!kind.has_value() || !IsKind(*kind)) return key;
  if (*kind == kRulesKind) return ParseRulesKey(StateKeyKind::kRules, text);
  if (*kind == kRulesetKind) return ParseRulesKey(StateKeyKind::kRuleset, text);
  if (*kind != kChunkKind && *kind != kChangesKind) {
    key.kind = StateKeyKind::kOtherKind;
    return key;
  }
  uint32_t format = 0;
  const std::optional<std::string_view> version = TakePart(text);
  if (!version.has_value() || !ParseNumber(*version, format)) return key;
  if (format != kSnapshotFormat) {
    key.kind = format < kSnapshotFormat ? StateKeyKind::kOlderFormat : StateKeyKind::kNewerFormat;
    return key;
  }
  if (ParseChunk(text, *kind == kChunkKind, key.chunk)) key.kind = StateKeyKind::kChunk;
  return key;
}

}  // namespace caracal::pipeline
