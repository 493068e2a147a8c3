#include "pipeline/config/redaction.h"

#include <optional>

#include <yaml-cpp/emitter.h>

#include "agents/api/check.h"
#include "pipeline/config/proto_json.h"
#include "pipeline/config/secret_name.h"

namespace caracal::pipeline {
namespace {

constexpr const char* kRedacted = "<redacted>";

/// "${env:NAME:-default}" without the default, which may be a secret itself.
std::string WithoutDefaults(const std::string& reference) {
  std::string shown;
  size_t at = 0;
  while (at < reference.size()) {
    const size_t start = reference.find("${env:", at);
    if (start == std::string::npos) break;
    const size_t end = reference.find('}', start);
    const size_t dash = reference.find(":-", start);
    if (end == std::string::npos) break;
    shown += reference.substr(at, (dash < end ? dash : end) - at) + "}";
    at = end + 1;
  }
  return shown + reference.substr(at);
}

void EmitYaml(const Json& json, YAML::Emitter& out) {
  if (const Json::Object* members = json.object()) {
    out << YAML::BeginMap;
    for (const Json::Member& member : *members) {
      out << YAML::Key << member.key << YAML::Value;
      EmitYaml(member.value, out);
    }
    out << YAML::EndMap;
  } else if (const Json::Array* items = json.array()) {
    out << YAML::BeginSeq;
    for (const Json& item : *items) EmitYaml(item, out);
    out << YAML::EndSeq;
  } else if (const std::string* text = json.text()) {
    out << *text;
  } else {
    out << json.Dump();  // a number or a bool: the same text in both languages
  }
}

}  // namespace

Json RedactedConfig(const LoadedConfig& loaded) {
  return SectionJson(loaded.config,
                     [&loaded](const std::string& path, const FieldDescriptor& field,
                               const std::string& map_key) -> std::optional<std::string> {
                       const auto reference = loaded.references.find(path);
                       if (reference != loaded.references.end())
                         return WithoutDefaults(reference->second);
                       const v1::Setting& setting = SettingOf(field);
                       if (setting.secret()) return kRedacted;
                       if (setting.dotted_keys() && IsSecretName(map_key)) return kRedacted;
                       return std::nullopt;
                     });
}

std::string RedactedConfigYaml(const LoadedConfig& loaded) {
  YAML::Emitter out;
  EmitYaml(RedactedConfig(loaded), out);
  CHECK(out.good());
  return std::string(out.c_str()) + "\n";
}

}  // namespace caracal::pipeline
