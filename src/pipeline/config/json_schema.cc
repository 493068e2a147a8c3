#include "pipeline/config/json_schema.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "caracal/config/v1/config.pb.h"
#include "caracal/config/v1/rules.pb.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/text_form.h"

namespace caracal::pipeline {
namespace {

using agents::ParameterSpec;
using agents::ParameterType;

constexpr const char* kDialect = "https://json-schema.org/draft/2020-12/schema";
constexpr const char* kDurationPattern = "^([0-9]+(d|h|m|s|ms|us))+$";
constexpr const char* kSizePattern = "^[0-9]+(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$";
constexpr const char* kDecimalPattern = "^[+-]?[0-9]*\\.?[0-9]*$";
constexpr const char* kReferencePattern = "\\$\\{(env|file):[^}]+\\}";

Json Object() { return Json::MakeObject(); }

Json Reference(const std::string& name) {
  return std::move(Object().Set("$ref", "#/$defs/" + name));
}

Json AnyOf(Json::Array schemas) {
  if (schemas.size() == 1) return std::move(schemas.front());
  return std::move(Object().Set("anyOf", std::move(schemas)));
}

Json TypeSchema(const char* type) { return std::move(Object().Set("type", type)); }

Json PatternSchema(const std::string& pattern) {
  Json schema = TypeSchema("string");
  if (!pattern.empty()) schema.Set("pattern", pattern);
  return schema;
}

Json ChoicesSchema(const std::vector<std::string>& choices) {
  return std::move(Object().Set("enum", choices));
}

Json TextsOrNumbers() {
  return std::move(Object().Set("type", std::vector<std::string>{"string", "number", "boolean"}));
}

/// {list: name}, the use of a named list.
Json ListUseSchema() {
  Json schema = TypeSchema("object");
  schema.Set("properties", std::move(Object().Set("list", TypeSchema("string"))));
  schema.Set("required", std::vector<std::string>{"list"});
  schema.Set("additionalProperties", false);
  return schema;
}

/// Generates the definitions of one document, each message once under $defs.
class SchemaBuilder {
 public:
  /// The schema of a message, registered under $defs.
  Json MessageSchema(const MessageDescriptor& message) {
    if (names_.insert(message.name()).second) {
      Json schema = SectionSchema(message);
      definitions_.Set(message.name(), std::move(schema));
    }
    return Reference(message.name());
  }

  /// Makes Rule a definition that leaves its agent's parameters to `agents`.
  void DefineRule(const agents::AgentRegistry& registry) {
    const MessageDescriptor& rule = *v1::Rule::descriptor();
    names_.insert(rule.name());
    Json schema = TypeSchema("object");
    Json properties = Object();
    for (int i = 0; i < rule.field_count(); ++i) {
      const FieldDescriptor& field = *rule.field(i);
      properties.Set(field.name(),
                     field.name() == "agent" ? AgentNameSchema(registry) : FieldSchema(field));
    }
    schema.Set("properties", std::move(properties));
    schema.Set("required", RequiredOf(rule));
    Json cases = Json::MakeArray();
    for (const std::string& name : registry.names()) {
      cases.Append(AgentCase(registry.Find(name)->info()));
    }
    if (!cases.empty()) schema.Set("allOf", std::move(cases));
    schema.Set("unevaluatedProperties", false);
    definitions_.Set(rule.name(), std::move(schema));
  }

  Json Document(const MessageDescriptor& root, const char* title) {
    Json schema = SectionSchema(root);
    definitions_.Set("reference", PatternSchema(kReferencePattern));
    Json document = Object();
    document.Set("$schema", kDialect).Set("title", title);
    for (const Json::Member& member : *schema.object()) document.Set(member.key, member.value);
    document.Set("$defs", std::move(definitions_));
    return document;
  }

 private:
  static Json RequiredOf(const MessageDescriptor& message) {
    Json required = Json::MakeArray();
    for (int i = 0; i < message.field_count(); ++i) {
      if (SettingOf(*message.field(i)).required()) required.Append(message.field(i)->name());
    }
    return required;
  }

  Json SectionSchema(const MessageDescriptor& message) {
    Json properties = Object();
    for (int i = 0; i < message.field_count(); ++i) {
      properties.Set(message.field(i)->name(), FieldSchema(*message.field(i)));
    }
    Json schema = TypeSchema("object");
    schema.Set("properties", std::move(properties));
    Json required = RequiredOf(message);
    if (!required.empty()) schema.Set("required", std::move(required));
    schema.Set("additionalProperties", false);
    const std::string& shorthand = SectionOf(message).shorthand();
    if (shorthand.empty()) return schema;
    return AnyOf({std::move(schema), ValueSchema(*message.FindFieldByName(shorthand))});
  }

  Json FieldSchema(const FieldDescriptor& field) {
    const v1::Setting& setting = SettingOf(field);
    Json described = Object();
    described.Set("description", setting.doc());
    if (setting.has_default_()) described.Set("default", DefaultJson(field));
    const Json value = ValueSchema(field);
    for (const Json::Member& member : *value.object()) described.Set(member.key, member.value);
    return described;
  }

  static Json DefaultJson(const FieldDescriptor& field) {
    const std::string& text = SettingOf(field).default_();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return text == "true";
    const std::optional<int64_t> number = ParseInteger(text);
    const bool is_text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    return number.has_value() && !is_text ? Json(*number) : Json(text);
  }

  Json ValueSchema(const FieldDescriptor& field) {
    if (field.is_map()) return MapSchema(field);
    if (field.is_repeated()) return ListSchema(field);
    if (field.message_type() != nullptr) return MessageSchema(*field.message_type());
    return ScalarSchema(field);
  }

  Json MapSchema(const FieldDescriptor& field) {
    const FieldDescriptor& value = *field.message_type()->map_value();
    Json schema = TypeSchema("object");
    const std::string pattern = TextFormPattern(SettingOf(field).key_form());
    if (!pattern.empty()) {
      schema.Set("propertyNames", std::move(Object().Set("pattern", pattern)));
    }
    schema.Set("additionalProperties", value.message_type() != nullptr
                                           ? MessageSchema(*value.message_type())
                                           : TextsOrNumbers());
    return schema;
  }

  Json ListSchema(const FieldDescriptor& field) {
    const v1::Setting& setting = SettingOf(field);
    const Json item = field.message_type() != nullptr ? MessageSchema(*field.message_type())
                                                      : ScalarSchema(field);
    Json schema = TypeSchema("array");
    schema.Set("items", item);
    if (setting.required()) schema.Set("minItems", 1);
    if (setting.max_items() > 0) {
      schema.Set("maxItems", static_cast<int64_t>(setting.max_items()));
    }
    if (!setting.scalar_as_list()) return schema;
    return AnyOf({std::move(schema), item});
  }

  Json ScalarSchema(const FieldDescriptor& field) {
    const v1::Setting& setting = SettingOf(field);
    Json::Array schemas;
    const std::vector<std::string> choices = ChoicesOf(field);
    if (!choices.empty()) schemas.push_back(ChoicesSchema(choices));
    if (setting.auto_()) schemas.push_back(std::move(Object().Set("const", "auto")));
    if (choices.empty() || setting.form() != v1::TEXT_FORM_ANY) {
      schemas.push_back(PlainSchema(field));
    }
    schemas.push_back(Reference("reference"));
    return AnyOf(std::move(schemas));
  }

  static Json PlainSchema(const FieldDescriptor& field) {
    const v1::Setting& setting = SettingOf(field);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return TypeSchema("boolean");
      case FieldDescriptor::CPPTYPE_STRING: {
        Json schema = PatternSchema(TextFormPattern(setting.form()));
        schema.Set("minLength", setting.has_min() ? *ParseInteger(setting.min()) : 1);
        if (setting.has_max()) schema.Set("maxLength", *ParseInteger(setting.max()));
        return schema;
      }
      default: {
        if (setting.unit() == v1::UNIT_DURATION) return PatternSchema(kDurationPattern);
        if (setting.unit() == v1::UNIT_BYTES) return PatternSchema(kSizePattern);
        Json schema = TypeSchema("integer");
        if (setting.has_min()) schema.Set("minimum", *ParseInteger(setting.min()));
        if (setting.has_max()) schema.Set("maximum", *ParseInteger(setting.max()));
        return schema;
      }
    }
  }

  static Json AgentNameSchema(const agents::AgentRegistry& registry) {
    Json schema = Object();
    schema.Set("description", "The agent that judges.");
    schema.Set("enum", registry.names());
    return schema;
  }

  static Json AgentCase(const agents::AgentInfo& info) {
    Json name = Object();
    name.Set("agent", std::move(Object().Set("const", info.name)));
    Json condition = Object();
    condition.Set("properties", std::move(name));
    condition.Set("required", std::vector<std::string>{"agent"});
    Json schema = Object();
    schema.Set("if", std::move(condition));
    schema.Set("then", ParametersSchema(info.parameters));
    return schema;
  }

  static Json ParametersSchema(const std::vector<ParameterSpec>& specs) {
    Json properties = Object();
    std::vector<std::string> required;
    for (const ParameterSpec& spec : specs) {
      Json described = Object();
      described.Set("description", spec.doc);
      if (spec.default_text.has_value()) described.Set("default", *spec.default_text);
      const Json value = ParameterSchema(spec);
      for (const Json::Member& member : *value.object()) described.Set(member.key, member.value);
      properties.Set(spec.name, std::move(described));
      if (spec.required) required.push_back(spec.name);
    }
    Json schema = Object();
    schema.Set("properties", std::move(properties));
    if (!required.empty()) schema.Set("required", required);
    return schema;
  }

  static Json ParameterSchema(const ParameterSpec& spec) {
    if (spec.type == ParameterType::kObject) {
      Json schema = TypeSchema("object");
      const Json parts = ParametersSchema(spec.fields);
      for (const Json::Member& member : *parts.object()) schema.Set(member.key, member.value);
      schema.Set("additionalProperties", false);
      return schema;
    }
    const bool is_file_list = spec.type == ParameterType::kFileList;
    if (is_file_list || spec.type == ParameterType::kTextList) {
      Json list = TypeSchema("array");
      list.Set("items", AnyOf({ItemSchema(spec), Reference("reference")}));
      return is_file_list ? std::move(list) : AnyOf({std::move(list), ListUseSchema()});
    }
    return AnyOf({ItemSchema(spec), Reference("reference")});
  }

  static void SetBound(Json& schema, const char* keyword, const std::optional<std::string>& text) {
    const std::optional<int64_t> bound =
        text.has_value() ? ParseInteger(*text) : std::optional<int64_t>();
    if (bound.has_value()) schema.Set(keyword, *bound);
  }

  static Json ItemSchema(const ParameterSpec& spec) {
    switch (spec.type) {
      case ParameterType::kBool:
        return TypeSchema("boolean");
      case ParameterType::kInteger: {
        Json schema = TypeSchema("integer");
        SetBound(schema, "minimum", spec.min_text);
        SetBound(schema, "maximum", spec.max_text);
        return schema;
      }
      case ParameterType::kDecimal:
      case ParameterType::kMoney: {
        Json schema = Object();
        schema.Set("type", std::vector<std::string>{"string", "number"});
        schema.Set("pattern", kDecimalPattern);
        return schema;
      }
      case ParameterType::kDuration:
        return PatternSchema(kDurationPattern);
      case ParameterType::kFile:
      case ParameterType::kFileList:
        return PatternSchema(spec.pattern != nullptr ? spec.pattern->text().c_str() : "^/");
      default:
        return TextSchema(spec);
    }
  }

  static Json TextSchema(const ParameterSpec& spec) {
    Json schema = spec.choices.empty() ? TextsOrNumbers() : ChoicesSchema(spec.choices);
    if (spec.pattern != nullptr) schema.Set("pattern", spec.pattern->text());
    return schema;
  }

  Json definitions_ = Json::MakeObject();
  std::set<std::string> names_;
};

}  // namespace

Json ConfigSchema() {
  return SchemaBuilder().Document(*v1::Config::descriptor(), "Caracal configuration");
}

Json RulesSchema(const agents::AgentRegistry& registry) {
  SchemaBuilder builder;
  builder.DefineRule(registry);
  return builder.Document(*v1::RuleFile::descriptor(), "Caracal rule file");
}

}  // namespace caracal::pipeline
