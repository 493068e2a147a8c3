#include "pipeline/config/proto_json.h"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace caracal::pipeline {
namespace {

std::string Join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

Json TextJson(const TextReplacement& replace, const std::string& path, const FieldDescriptor& field,
              const std::string& map_key, std::string text) {
  if (replace != nullptr) {
    if (std::optional<std::string> shown = replace(path, field, map_key)) return *shown;
  }
  return text;
}

Json ScalarJson(const ProtoMessage& message, const FieldDescriptor& field,
                const TextReplacement& replace, const std::string& path, int index) {
  const std::string text = ScalarText(message, field, index);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return text == "true";
  const bool is_number = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                         field.cpp_type() == FieldDescriptor::CPPTYPE_INT64;
  if (is_number) {
    if (const std::optional<int64_t> number = ParseInteger(text)) return *number;
    return text;
  }
  return TextJson(replace, path, field, "", text);
}

Json MapJson(const ProtoMessage& message, const FieldDescriptor& field,
             const TextReplacement& replace, const std::string& path) {
  const auto* reflection = message.GetReflection();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  std::map<std::string, Json> sorted;
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
    const ProtoMessage& entry = reflection->GetRepeatedMessage(message, &field, i);
    const std::string key =
        entry.GetReflection()->GetString(entry, field.message_type()->map_key());
    const std::string child = Join(path, key);
    if (value_field.message_type() != nullptr) {
      sorted[key] =
          SectionJson(entry.GetReflection()->GetMessage(entry, &value_field), replace, child);
    } else {
      sorted[key] = TextJson(replace, child, field, key,
                             entry.GetReflection()->GetString(entry, &value_field));
    }
  }
  Json json = Json::MakeObject();
  for (auto& [key, value] : sorted) json.Set(key, std::move(value));
  return json;
}

Json ListJson(const ProtoMessage& message, const FieldDescriptor& field,
              const TextReplacement& replace, const std::string& path) {
  const auto* reflection = message.GetReflection();
  Json json = Json::MakeArray();
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
    const std::string child = fmt::format("{}[{}]", path, i);
    if (field.message_type() != nullptr) {
      json.Append(SectionJson(reflection->GetRepeatedMessage(message, &field, i), replace, child));
    } else {
      json.Append(ScalarJson(message, field, replace, child, i));
    }
  }
  return json;
}

bool IsEmpty(const Json& json) {
  return json.empty() || (json.text() != nullptr && json.text()->empty());
}

}  // namespace

Json SectionJson(const ProtoMessage& message, const TextReplacement& replace,
                 const std::string& path) {
  const MessageDescriptor& descriptor = *message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  Json json = Json::MakeObject();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    const std::string child = Join(path, field.name());
    const bool is_unset = field.has_presence() && !reflection->HasField(message, &field);
    if (is_unset && !SettingOf(field).auto_()) continue;
    Json value;
    if (field.is_map()) {
      value = MapJson(message, field, replace, child);
    } else if (field.is_repeated()) {
      value = ListJson(message, field, replace, child);
    } else if (field.message_type() != nullptr) {
      value = SectionJson(reflection->GetMessage(message, &field), replace, child);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
               reflection->GetString(message, &field).empty()) {
      continue;
    } else {
      value = ScalarJson(message, field, replace, child, -1);
    }
    if (!IsEmpty(value)) json.Set(field.name(), std::move(value));
  }
  return json;
}

}  // namespace caracal::pipeline
