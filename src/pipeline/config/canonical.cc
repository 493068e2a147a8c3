#include "pipeline/config/canonical.h"

#include <set>
#include <utility>

#include "agents/api/check.h"
#include "pipeline/base/sha256.h"
#include "pipeline/config/json.h"
#include "pipeline/config/parameter_binder.h"
#include "pipeline/config/proto_json.h"

namespace caracal::pipeline {
namespace {

using agents::Decimal;
using agents::ParameterFile;
using agents::Parameters;
using agents::ParameterSpec;
using agents::ParameterType;
using agents::ParameterValue;

/// Raised when the canonical form changes for configurations that stay the same.
constexpr int kCanonicalVersion = 1;
constexpr size_t kVersionDigits = 12;
constexpr size_t kFingerprintDigits = 8;

/// Writes the parameters of one rule.
class ParameterWriter {
 public:
  ParameterWriter(int amount_scale, const std::map<std::string, std::string>& lists)
      : amount_scale_(amount_scale), lists_(lists) {}

  Json Write(const std::vector<ParameterSpec>& specs, const Parameters& parameters,
             const std::string& prefix) const {
    Json json = Json::MakeObject();
    for (const ParameterSpec& spec : specs) {
      const auto it = parameters.values().find(spec.name);
      if (it == parameters.values().end()) continue;
      json.Set(spec.name, Value(spec, it->second, prefix + spec.name));
    }
    return json;
  }

 private:
  Json Value(const ParameterSpec& spec, const ParameterValue& value,
             const std::string& path) const {
    switch (spec.type) {
      case ParameterType::kBool:
        return std::get<bool>(value);
      case ParameterType::kInteger:
        return std::get<int64_t>(value);
      case ParameterType::kDuration:
        return agents::FormatDuration(std::get<int64_t>(value));
      case ParameterType::kDecimal:
        return agents::FormatDecimal(std::get<Decimal>(value));
      case ParameterType::kMoney:
        return Money(std::get<Decimal>(value));
      case ParameterType::kText:
        return std::get<std::string>(value);
      case ParameterType::kTextList: {
        const auto list = lists_.find(path);
        if (list == lists_.end()) return std::get<std::vector<std::string>>(value);
        return std::move(Json::MakeObject().Set("list", list->second));
      }
      case ParameterType::kFile:
        return File(std::get<ParameterFile>(value));
      case ParameterType::kFileList: {
        Json files = Json::MakeArray();
        for (const auto& file : std::get<std::vector<ParameterFile>>(value)) {
          files.Append(File(file));
        }
        return files;
      }
      case ParameterType::kObject:
        return Write(spec.fields, *std::get<std::shared_ptr<const Parameters>>(value), path + ".");
    }
    return Json();
  }

  /// Its bytes decide verdicts, not where they lie.
  static Json File(const ParameterFile& file) {
    return std::move(Json::MakeObject().Set("sha256", file.sha256));
  }

  /// In the scale of the stream's amounts where that is exact.
  std::string Money(const Decimal& value) const {
    const absl::StatusOr<int64_t> units = agents::ToMinorUnits(value, amount_scale_);
    return agents::FormatDecimal(units.ok() ? Decimal{*units, amount_scale_} : value);
  }

  const int amount_scale_;
  const std::map<std::string, std::string>& lists_;
};

Json FiltersJson(const CanonicalRule& rule) {
  Json json = Json::MakeObject();
  for (const agents::AttributeFilter& filter : rule.spec->filters) {
    const auto list = rule.filter_lists.find(filter.attribute);
    json.Set(filter.attribute, list == rule.filter_lists.end()
                                   ? Json(filter.values)
                                   : std::move(Json::MakeObject().Set("list", list->second)));
  }
  return json;
}

Json RuleJson(const CanonicalRule& rule, const LoadedStream& stream) {
  std::vector<std::string> key = {stream.key_name};
  key.insert(key.end(), rule.spec->key_suffix.begin(), rule.spec->key_suffix.end());
  const ParameterWriter writer(stream.context.amount_scale, rule.parameter_lists);
  Json json = Json::MakeObject();
  json.Set("agent", rule.spec->agent).Set("agent_version", rule.agent->version);
  if (!rule.agent->fingerprint.empty()) json.Set("agent_fingerprint", rule.agent->fingerprint);
  json.Set("id", rule.spec->id).Set("version", rule.spec->version).Set("key", key);
  json.Set("mode", agents::ModeName(rule.spec->mode));
  json.Set("score", rule.spec->score);
  json.Set("severity", agents::SeverityName(rule.spec->severity));
  json.Set("parameters", writer.Write(rule.agent->parameters, rule.spec->parameters, ""));
  json.Set("when", FiltersJson(rule));
  return json;
}

Json StateJson(const v1::State& state) {
  static const std::set<std::string> kept = {"buckets", "rows_per_bucket",
                                             "max_bytes_per_partition"};
  const Json all = SectionJson(state);
  Json json = Json::MakeObject();
  for (const Json::Member& member : *all.object()) {
    if (kept.count(member.key) > 0) json.Set(member.key, member.value);
  }
  json.Set("hash_seed_fingerprint", HashSeedFingerprint(state.hash_seed()));
  return json;
}

/// All settings of the stream but those that decide no verdict: a setting added later is part of
/// the version unless it is named here.
Json StreamJson(const v1::Stream& stream, const LoadedStream& loaded) {
  static const std::set<std::string> left_out = {"start", "state_topic", "places"};
  const Json all = SectionJson(stream);
  Json json = Json::MakeObject();
  for (const Json::Member& member : *all.object()) {
    if (left_out.count(member.key) == 0) json.Set(member.key, member.value);
  }
  if (loaded.places_csv != nullptr) {
    json.Set("places", std::move(Json::MakeObject().Set("sha256", loaded.places_sha256)));
  }
  return json;
}

}  // namespace

std::string CanonicalRulesetJson(const CanonicalInput& input) {
  Json rules = Json::MakeArray();
  for (const CanonicalRule& rule : input.rules) rules.Append(RuleJson(rule, *input.stream));
  Json lists = Json::MakeObject();
  for (const auto& [name, list] : input.lists) {
    Json entry = Json::MakeObject();
    entry.Set("count", static_cast<int64_t>(list.count)).Set("sha256", list.sha256);
    lists.Set(name, std::move(entry));
  }
  Json json = Json::MakeObject();
  json.Set("canonical_version", kCanonicalVersion);
  json.Set("name", input.ruleset->name).Set("alert_above", input.ruleset->alert_above);
  json.Set("mode", agents::ModeName(input.ruleset->mode));
  json.Set("rules", std::move(rules)).Set("lists", std::move(lists));
  json.Set("state", StateJson(input.config->state()));
  json.Set("stream", StreamJson(input.config->streams(input.stream_index), *input.stream));
  return json.Sorted().Dump();
}

std::string RulesetVersion(const std::string& canonical_json) {
  return Sha256Hex(canonical_json, kVersionDigits);
}

uint64_t HashSeed(const std::string& text) {
  if (text.empty()) return 0;
  // A prefix of its own: the fingerprint must tell nothing of the seed.
  const Sha256Digest digest = Sha256("caracal hash seed\n" + text);
  uint64_t seed = 0;
  for (size_t i = 0; i < sizeof(seed); ++i) seed = seed << 8 | digest[i];
  return seed;
}

std::string HashSeedFingerprint(const std::string& text) {
  return Sha256Hex(text, kFingerprintDigits);
}

}  // namespace caracal::pipeline
