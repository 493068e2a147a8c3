#include "pipeline/plugins/parameter_schema.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"
#include "pipeline/config/text_pattern.h"
#include "pipeline/plugins/json_document.h"

namespace caracal::pipeline {
namespace {

using agents::ParameterSpec;
using agents::ParameterType;
using Kind = JsonDocument::Kind;

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxParameters = 100;
constexpr std::string_view kPassedOver[] = {"title", "description", "$schema",
                                            "$id",   "$comment",    "examples"};

absl::Status Refuse(std::string_view path, std::string_view what) {
  return absl::InvalidArgumentError(path.empty() ? std::string(what)
                                                 : fmt::format("{}: {}", path, what));
}

std::string Join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

absl::Status CheckKind(const JsonDocument& value, Kind kind, std::string_view path) {
  if (value.kind == kind) return absl::OkStatus();
  return Refuse(path, fmt::format("must be {}, not {}", KindText(kind), KindText(value.kind)));
}

/// Requires an object whose keywords are `known` or say nothing that is checked.
absl::Status CheckKeywords(const JsonDocument& schema, std::string_view path,
                           std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : schema.members) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    if (std::find(std::begin(kPassedOver), std::end(kPassedOver), key) != std::end(kPassedOver)) {
      continue;
    }
    return Refuse(Join(path, key),
                  "this keyword is not known here; leave it out and check the "
                  "value in create");
  }
  return absl::OkStatus();
}

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

absl::StatusOr<std::vector<ParameterSpec>> ReadObject(const JsonDocument& schema,
                                                      const std::string& path);

absl::Status ReadEnum(const JsonDocument& schema, const std::string& path, ParameterSpec& spec) {
  const JsonDocument* choices = schema.Find("enum");
  if (choices == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(CheckKind(*choices, Kind::kArray, path + ".enum"));
  for (const JsonDocument& choice : choices->items) {
    RETURN_IF_ERROR(CheckKind(choice, Kind::kText, path + ".enum"));
    spec.choices.push_back(choice.text);
  }
  return spec.choices.empty() ? Refuse(path + ".enum", "lists no value") : absl::OkStatus();
}

/// Texts that are paths of files, when the schema says so.
absl::Status ReadFormat(const JsonDocument& schema, const std::string& path, ParameterType file,
                        ParameterSpec& spec) {
  const JsonDocument* format = schema.Find("format");
  if (format == nullptr) return absl::OkStatus();
  const std::string format_path = path + ".format";
  RETURN_IF_ERROR(CheckKind(*format, Kind::kText, format_path));
  if (format->text != "file") {
    return Refuse(format_path, fmt::format("'{}' is not known here; the one format is file, leave "
                                           "another out and check the value in create",
                                           format->text));
  }
  for (const char* keyword : {"enum", "default"}) {
    if (schema.Find(keyword) == nullptr) continue;
    return Refuse(Join(path, keyword), "a file has none: each rule names its own");
  }
  spec.type = file;
  return absl::OkStatus();
}

absl::Status ReadPattern(const JsonDocument& schema, const std::string& path, ParameterSpec& spec) {
  const JsonDocument* pattern = schema.Find("pattern");
  if (pattern == nullptr) return absl::OkStatus();
  const std::string pattern_path = path + ".pattern";
  RETURN_IF_ERROR(CheckKind(*pattern, Kind::kText, pattern_path));
  auto compiled = CompilePattern(pattern->text);
  if (!compiled.ok()) return Refuse(pattern_path, agents::MessageOf(compiled.status()));
  spec.pattern = *std::move(compiled);
  return absl::OkStatus();
}

absl::Status ReadNumber(const JsonDocument& value, const std::string& path, bool integer,
                        std::optional<std::string>& text) {
  RETURN_IF_ERROR(CheckKind(value, Kind::kNumber, path));
  const absl::StatusOr<agents::Decimal> number = agents::ParseDecimal(value.text);
  if (!number.ok() || (integer && number->scale != 0)) {
    return Refuse(path, integer ? "must be a whole number of at most 18 digits"
                                : "must be a number of at most 18 digits, without exponent");
  }
  text = value.text;
  return absl::OkStatus();
}

absl::Status ReadBounds(const JsonDocument& schema, const std::string& path, ParameterSpec& spec) {
  const bool integer = spec.type == ParameterType::kInteger;
  if (const JsonDocument* bound = schema.Find("minimum")) {
    RETURN_IF_ERROR(ReadNumber(*bound, path + ".minimum", integer, spec.min_text));
  }
  if (const JsonDocument* bound = schema.Find("maximum")) {
    RETURN_IF_ERROR(ReadNumber(*bound, path + ".maximum", integer, spec.max_text));
  }
  const JsonDocument* value = schema.Find("default");
  if (value == nullptr) return absl::OkStatus();
  return ReadNumber(*value, path + ".default", integer, spec.default_text);
}

absl::Status ReadDefault(const JsonDocument& schema, const std::string& path, Kind kind,
                         ParameterSpec& spec) {
  const JsonDocument* value = schema.Find("default");
  if (value == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(CheckKind(*value, kind, path + ".default"));
  const auto& choices = spec.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value->text) == choices.end()) {
    return Refuse(path + ".default", "is not in enum");
  }
  if (spec.pattern != nullptr && !spec.pattern->Matches(value->text)) {
    return Refuse(path + ".default", "does not match pattern");
  }
  spec.default_text = value->text;
  return absl::OkStatus();
}

absl::Status ReadItems(const JsonDocument& schema, const std::string& path, ParameterSpec& spec) {
  const JsonDocument* items = schema.Find("items");
  if (items == nullptr) return Refuse(path, "an array needs items");
  const std::string items_path = path + ".items";
  RETURN_IF_ERROR(CheckKind(*items, Kind::kObject, items_path));
  RETURN_IF_ERROR(CheckKeywords(*items, items_path, {"type", "enum", "pattern", "format"}));
  const JsonDocument* type = items->Find("type");
  if (type == nullptr || type->text != "string") {
    return Refuse(items_path, "must have type string: lists are of texts");
  }
  RETURN_IF_ERROR(ReadFormat(*items, items_path, ParameterType::kFileList, spec));
  RETURN_IF_ERROR(ReadPattern(*items, items_path, spec));
  return ReadEnum(*items, items_path, spec);
}

absl::Status ReadTyped(const JsonDocument& schema, const std::string& type, const std::string& path,
                       ParameterSpec& spec) {
  if (type == "boolean") {
    spec.type = ParameterType::kBool;
    RETURN_IF_ERROR(CheckKeywords(schema, path, {"type", "default"}));
    return ReadDefault(schema, path, Kind::kBool, spec);
  }
  if (type == "integer" || type == "number") {
    spec.type = type == "integer" ? ParameterType::kInteger : ParameterType::kDecimal;
    RETURN_IF_ERROR(CheckKeywords(schema, path, {"type", "default", "minimum", "maximum"}));
    return ReadBounds(schema, path, spec);
  }
  if (type == "string") {
    spec.type = ParameterType::kText;
    RETURN_IF_ERROR(CheckKeywords(schema, path, {"type", "default", "enum", "pattern", "format"}));
    RETURN_IF_ERROR(ReadFormat(schema, path, ParameterType::kFile, spec));
    RETURN_IF_ERROR(ReadEnum(schema, path, spec));
    RETURN_IF_ERROR(ReadPattern(schema, path, spec));
    return ReadDefault(schema, path, Kind::kText, spec);
  }
  if (type == "array") {
    spec.type = ParameterType::kTextList;
    RETURN_IF_ERROR(CheckKeywords(schema, path, {"type", "items"}));
    return ReadItems(schema, path, spec);
  }
  if (type == "object") {
    spec.type = ParameterType::kObject;
    ASSIGN_OR_RETURN(spec.fields, ReadObject(schema, path));
    return absl::OkStatus();
  }
  return Refuse(path + ".type", fmt::format("'{}' is none of boolean, integer, number, string, "
                                            "array, object",
                                            type));
}

absl::StatusOr<ParameterSpec> ReadProperty(const std::string& name, const JsonDocument& schema,
                                           const std::string& path) {
  RETURN_IF_ERROR(CheckKind(schema, Kind::kObject, path));
  if (!IsName(name)) {
    return Refuse(path,
                  "a name has lower-case letters, digits and '_', beginning with a letter, "
                  "at most 64");
  }
  const JsonDocument* type = schema.Find("type");
  if (type == nullptr) return Refuse(path, "has no type");
  RETURN_IF_ERROR(CheckKind(*type, Kind::kText, path + ".type"));
  ParameterSpec spec;
  spec.name = name;
  if (const JsonDocument* description = schema.Find("description")) {
    RETURN_IF_ERROR(CheckKind(*description, Kind::kText, path + ".description"));
    spec.doc = description->text;
  }
  RETURN_IF_ERROR(ReadTyped(schema, type->text, path, spec));
  return spec;
}

absl::Status ReadRequired(const JsonDocument& schema, const std::string& path,
                          std::vector<ParameterSpec>& specs) {
  const JsonDocument* required = schema.Find("required");
  if (required == nullptr) return absl::OkStatus();
  const std::string required_path = Join(path, "required");
  RETURN_IF_ERROR(CheckKind(*required, Kind::kArray, required_path));
  for (const JsonDocument& name : required->items) {
    RETURN_IF_ERROR(CheckKind(name, Kind::kText, required_path));
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&name](const auto& known) { return known.name == name.text; });
    if (spec == specs.end()) {
      return Refuse(required_path, fmt::format("'{}' is no property", name.text));
    }
    spec->required = true;
    if (spec->default_text.has_value()) {
      return Refuse(required_path,
                    fmt::format("'{}' has a default: it is never missing", name.text));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ParameterSpec>> ReadObject(const JsonDocument& schema,
                                                      const std::string& path) {
  RETURN_IF_ERROR(
      CheckKeywords(schema, path, {"type", "properties", "required", "additionalProperties"}));
  if (const JsonDocument* more = schema.Find("additionalProperties")) {
    if (more->kind != Kind::kBool || more->text != "false") {
      return Refuse(Join(path, "additionalProperties"),
                    "must be false: a key that is not listed is a mistake");
    }
  }
  std::vector<ParameterSpec> specs;
  if (const JsonDocument* properties = schema.Find("properties")) {
    const std::string properties_path = Join(path, "properties");
    RETURN_IF_ERROR(CheckKind(*properties, Kind::kObject, properties_path));
    if (properties->members.size() > kMaxParameters) {
      return Refuse(properties_path, fmt::format("has more than {} entries", kMaxParameters));
    }
    for (const auto& [name, property] : properties->members) {
      ASSIGN_OR_RETURN(specs.emplace_back(),
                       ReadProperty(name, property, Join(properties_path, name)));
    }
  }
  RETURN_IF_ERROR(ReadRequired(schema, path, specs));
  return specs;
}

}  // namespace

absl::StatusOr<std::vector<ParameterSpec>> ParseParameterSchema(std::string_view json) {
  ASSIGN_OR_RETURN(const JsonDocument schema, ParseJson(json));
  const JsonDocument* type = schema.Find("type");
  if (type == nullptr || type->text != "object") {
    return Refuse("type", "must be \"object\": the properties are the keys of a rule");
  }
  return ReadObject(schema, "");
}

}  // namespace caracal::pipeline
