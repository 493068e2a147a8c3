#include "pipeline/snapshot/rules_manifest.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kFirstLine = "caracal rules 1";
constexpr size_t kHashDigits = 12;
constexpr size_t kDigestDigits = 32;
// A record of the state topic is at most 1 MiB; keys and the client's overhead stay below the rest.
constexpr size_t kTextBytesMax = 1'000'000;

template <typename Number>
bool ParseNumber(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// Takes the text up to the next `separator` off the front.
std::string_view TakePart(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool ParseState(std::string_view text, RulesManifest::State& state) {
  const std::string_view id = TakePart(text, ' ');
  state.rule = std::string(text);
  return id.size() == kDigestDigits &&
         ParseNumber(id.substr(0, kDigestDigits / 2), state.id.high, 16) &&
         ParseNumber(id.substr(kDigestDigits / 2), state.id.low, 16);
}

bool ParseLine(std::string_view line, RulesManifest& manifest) {
  const std::string_view word = TakePart(line, ' ');
  if (word == "topic") manifest.topic = std::string(line);
  if (word == "buckets") return ParseNumber(line, manifest.buckets, 10);
  if (word == "hash_seed") return ParseNumber(line, manifest.seed_fingerprint, 16);
  if (word == "ruleset") {
    const std::string_view version = TakePart(line, ' ');
    manifest.rulesets.push_back({std::string(version), std::string(line)});
  }
  if (word == "state") {
    RulesManifest::State& state = manifest.states.emplace_back();
    return ParseState(line, state);
  }
  return true;
}

absl::Status CheckSize(std::string_view what, std::string_view text) {
  if (text.size() <= kTextBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: its canonical text has {} bytes, at most {} can be kept in the state topic; "
                  "put long lists into list files, or split it",
                  what, text.size(), kTextBytesMax));
}

}  // namespace

bool RulesManifest::HasState(const agents::StateDigest& id) const {
  return std::any_of(states.begin(), states.end(),
                     [&id](const State& state) { return state.id == id; });
}

std::string RulesManifest::SchemeChange(const RulesManifest& before) const {
  std::string change;
  if (buckets != before.buckets) {
    change = fmt::format("state.buckets ({} before, {} now)", before.buckets, buckets);
  }
  if (seed_fingerprint != before.seed_fingerprint) {
    change += fmt::format("{}state.hash_seed", change.empty() ? "" : ", ");
  }
  return change;
}

std::string FormatRulesManifest(RulesManifest manifest) {
  std::sort(manifest.rulesets.begin(), manifest.rulesets.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.version) < std::tie(b.name, b.version);
  });
  std::sort(manifest.states.begin(), manifest.states.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  std::string text = fmt::format("{}\ntopic {}\nbuckets {}\nhash_seed {:016x}\n", kFirstLine,
                                 manifest.topic, manifest.buckets, manifest.seed_fingerprint);
  for (const RulesManifest::Ruleset& ruleset : manifest.rulesets) {
    text += fmt::format("ruleset {} {}\n", ruleset.version, ruleset.name);
  }
  for (const RulesManifest::State& state : manifest.states) {
    text += fmt::format("state {:016x}{:016x} {}\n", state.id.high, state.id.low, state.rule);
  }
  return text;
}

absl::StatusOr<RulesManifest> ParseRulesManifest(std::string_view text) {
  const auto foreign = [] {
    return absl::InvalidArgumentError("not a manifest of rules that this version can read");
  };
  if (TakePart(text, '\n') != kFirstLine) return foreign();
  RulesManifest manifest;
  while (!text.empty()) {
    if (!ParseLine(TakePart(text, '\n'), manifest)) return foreign();
  }
  if (manifest.buckets == 0) return foreign();
  return manifest;
}

std::string RulesHash(std::string_view manifest_text) {
  return Sha256Hex(manifest_text, kHashDigits);
}

absl::StatusOr<RulesRecord> MakeRulesRecord(RulesManifest manifest,
                                            std::vector<RulesetText> rulesets) {
  RulesRecord record;
  record.text = FormatRulesManifest(manifest);
  if (absl::Status status = CheckSize("the rules of " + manifest.topic, record.text);
      !status.ok()) {
    return status;
  }
  for (const RulesetText& ruleset : rulesets) {
    absl::Status status = CheckSize("ruleset " + ruleset.version, ruleset.canonical_json);
    if (!status.ok()) return status;
  }
  record.hash = RulesHash(record.text);
  record.manifest = std::move(manifest);
  record.rulesets = std::move(rulesets);
  return record;
}

StateHistory FollowStates(const std::vector<Activation>& activations,
                          const std::map<std::string, RulesManifest>& known,
                          const RulesRecord& rules) {
  CHECK(!activations.empty());
  StateHistory history;
  history.base = activations.back().offset;
  std::vector<bool> ended(rules.manifest.states.size(), false);
  for (const RulesManifest::State& state : rules.manifest.states) {
    history.starts.push_back({state.id, history.base});
  }
  for (size_t i = activations.size() - 1; i-- > 0;) {
    const Activation& earlier = activations[i];
    const auto found = known.find(earlier.rules);
    const RulesManifest* manifest = earlier.rules == rules.hash ? &rules.manifest
                                    : found == known.end()      ? nullptr
                                                                : &found->second;
    if (manifest == nullptr) {
      history.unknown.push_back(earlier.rules);
      break;
    }
    history.scheme_change = rules.manifest.SchemeChange(*manifest);
    if (!history.scheme_change.empty()) break;
    history.base = earlier.offset;
    for (size_t s = 0; s < ended.size(); ++s) {
      ended[s] = ended[s] || !manifest->HasState(history.starts[s].state);
      if (!ended[s]) history.starts[s].offset = earlier.offset;
    }
  }
  return history;
}

}  // namespace caracal::pipeline
