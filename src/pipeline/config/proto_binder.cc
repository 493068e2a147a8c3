#include "pipeline/config/proto_binder.h"

#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "pipeline/config/suggestion.h"
#include "pipeline/config/text_form.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kDefaultMaxItems = 1024;

std::string Join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

}  // namespace

void ProtoBinder::Bind(const YamlNode& root, const std::string& what, ProtoMessage& message) {
  what_ = what;
  spans_.Set("", root.span, root.span);
  BindSection(root, "", message);
}

std::string ProtoBinder::SectionName(const std::string& path) const {
  return path.empty() ? what_ : fmt::format("'{}'", path);
}

void ProtoBinder::WrongKind(const YamlNode& node, const std::string& name,
                            std::string_view expected) {
  if (node.kind == YamlNode::Kind::kNull) {
    diagnostics_.Add(DiagnosticCode::kEmptyValue, node.span, fmt::format("{} has no value", name),
                     fmt::format("give {} or remove the key", expected));
    return;
  }
  diagnostics_.Add(DiagnosticCode::kWrongType, node.span,
                   fmt::format("{} must be {}, not {}", name, expected, KindText(node)));
}

void ProtoBinder::BindSection(const YamlNode& node, const std::string& path,
                              ProtoMessage& message) {
  if (node.broken) return;
  const MessageDescriptor& descriptor = *message.GetDescriptor();
  const std::string& shorthand = SectionOf(descriptor).shorthand();
  if (!shorthand.empty() && node.kind != YamlNode::Kind::kMap) {
    return BindField(*descriptor.FindFieldByName(shorthand), node, path, message);
  }
  if (node.kind != YamlNode::Kind::kMap) return WrongKind(node, SectionName(path), "a map");
  BindEntries(node, path, message);
  FillAbsent(&node, path, message);
}

void ProtoBinder::BindEntries(const YamlNode& node, const std::string& path,
                              ProtoMessage& message) {
  const MessageDescriptor& descriptor = *message.GetDescriptor();
  for (const YamlEntry& entry : node.entries) {
    const FieldDescriptor* field = descriptor.FindFieldByName(entry.key);
    if (field != nullptr) {
      const std::string child = Join(path, entry.key);
      spans_.Set(child, entry.key_span, entry.value.span);
      BindField(*field, entry.value, child, message);
    } else if (SectionOf(descriptor).open()) {
      extras_[path].push_back(&entry);
    } else {
      UnknownKey(entry, path, message);
    }
  }
}

void ProtoBinder::UnknownKey(const YamlEntry& entry, const std::string& path,
                             const ProtoMessage& message) {
  const std::vector<std::string> keys = KeysOf(*message.GetDescriptor());
  diagnostics_.Add(DiagnosticCode::kUnknownKey, entry.key_span,
                   fmt::format("unknown key '{}' in {}", entry.key, SectionName(path)),
                   DidYouMean(entry.key, keys));
  const FieldDescriptor* meant =
      message.GetDescriptor()->FindFieldByName(NearestName(entry.key, keys));
  if (meant == nullptr) return;
  if (SettingOf(*meant).secret()) diagnostics_.AddSecret(entry.value.text);
  misspelt_.insert(Join(path, meant->name()));
}

void ProtoBinder::BindField(const FieldDescriptor& field, const YamlNode& node,
                            const std::string& path, ProtoMessage& message) {
  if (node.broken) return;
  if (field.is_map()) {
    BindMap(field, node, path, message);
  } else if (field.is_repeated()) {
    BindList(field, node, path, message);
  } else if (field.message_type() != nullptr) {
    BindSection(node, path, *message.GetReflection()->MutableMessage(&message, &field));
  } else {
    BindScalar(field, node, path, message);
  }
}

void ProtoBinder::CheckSize(const FieldDescriptor& field, size_t size, const YamlNode& node) {
  const v1::Setting& setting = SettingOf(field);
  const size_t limit = setting.max_items() == 0 ? kDefaultMaxItems : setting.max_items();
  if (size > limit) {
    diagnostics_.Add(
        DiagnosticCode::kOutOfBounds, node.span,
        fmt::format("'{}' may have at most {} entries, not {}", field.name(), limit, size));
  }
  if (size == 0 && setting.required()) {
    diagnostics_.Add(DiagnosticCode::kOutOfBounds, node.span,
                     fmt::format("'{}' needs at least one entry", field.name()));
  }
}

void ProtoBinder::BindMap(const FieldDescriptor& field, const YamlNode& node,
                          const std::string& path, ProtoMessage& message) {
  if (node.kind != YamlNode::Kind::kMap) return WrongKind(node, SectionName(path), "a map");
  CheckSize(field, node.entries.size(), node);
  for (const YamlEntry& entry : node.entries) {
    spans_.Set(Join(path, entry.key), entry.key_span, entry.value.span);
    const v1::TextForm form = SettingOf(field).key_form();
    if (const std::optional<std::string> problem = TextFormProblem(form, entry.key)) {
      diagnostics_.Add(DiagnosticCode::kMalformedText, entry.key_span,
                       fmt::format("{}: '{}' {}", SectionName(path), entry.key, *problem));
      continue;
    }
    if (!entry.value.broken) BindMapEntry(field, entry, Join(path, entry.key), message);
  }
}

void ProtoBinder::BindMapEntry(const FieldDescriptor& field, const YamlEntry& entry,
                               const std::string& path, ProtoMessage& message) {
  const auto* reflection = message.GetReflection();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  if (value_field.message_type() == nullptr) {
    const std::string* text = ScalarOf(entry.value, SectionName(path));
    if (text == nullptr) return;
    if (text->find('\0') != std::string::npos) {
      // What C libraries read would not be what was checked.
      diagnostics_.Add(DiagnosticCode::kMalformedText, entry.value.span,
                       fmt::format("{} contains a NUL character", SectionName(path)));
      return;
    }
    if (!entry.value.reference.empty()) references_[path] = entry.value.reference;
    ProtoMessage* item = reflection->AddMessage(&message, &field);
    item->GetReflection()->SetString(item, field.message_type()->map_key(), entry.key);
    item->GetReflection()->SetString(item, &value_field, *text);
    return;
  }
  ProtoMessage* item = reflection->AddMessage(&message, &field);
  item->GetReflection()->SetString(item, field.message_type()->map_key(), entry.key);
  BindSection(entry.value, path, *item->GetReflection()->MutableMessage(item, &value_field));
}

void ProtoBinder::BindList(const FieldDescriptor& field, const YamlNode& node,
                           const std::string& path, ProtoMessage& message) {
  if (node.kind == YamlNode::Kind::kScalar && SettingOf(field).scalar_as_list()) {
    return BindScalar(field, node, path, message);
  }
  if (node.kind != YamlNode::Kind::kSequence) return WrongKind(node, SectionName(path), "a list");
  CheckSize(field, node.items.size(), node);
  for (size_t i = 0; i < node.items.size(); ++i) {
    const std::string child = fmt::format("{}[{}]", path, i);
    spans_.Set(child, node.items[i].span, node.items[i].span);
    if (field.message_type() != nullptr) {
      BindSection(node.items[i], child, *message.GetReflection()->AddMessage(&message, &field));
    } else {
      BindScalar(field, node.items[i], child, message);
    }
  }
}

const std::string* ProtoBinder::ScalarOf(const YamlNode& node, const std::string& name) {
  if (node.kind == YamlNode::Kind::kScalar) return &node.text;
  WrongKind(node, name, "a single value");
  return nullptr;
}

void ProtoBinder::BindScalar(const FieldDescriptor& field, const YamlNode& node,
                             const std::string& path, ProtoMessage& message) {
  if (node.broken) return;
  const std::string* text = ScalarOf(node, SectionName(path));
  if (text == nullptr) return;
  if (SettingOf(field).secret()) diagnostics_.AddSecret(*text);
  if (!node.reference.empty()) references_[path] = node.reference;
  std::optional<ValueProblem> problem = SetScalar(field, *text, message);
  if (!problem.has_value()) return;
  diagnostics_.Add(problem->code, node.span, std::move(problem->message), std::move(problem->hint));
  // Go on with the default, so that one wrong value does not make others look wrong.
  if (SettingOf(field).has_default_()) {
    CHECK(!SetScalar(field, SettingOf(field).default_(), message).has_value());
  }
}

void ProtoBinder::FillAbsent(const YamlNode* node, const std::string& path, ProtoMessage& message) {
  const MessageDescriptor& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (node != nullptr && node->Find(field.name()) != nullptr) continue;
    const v1::Setting& setting = SettingOf(field);
    if (setting.required()) {
      if (misspelt_.count(Join(path, field.name())) > 0) continue;
      diagnostics_.Add(
          DiagnosticCode::kMissingKey, spans_.Key(path),
          fmt::format("required key '{}' is missing in {}", field.name(), SectionName(path)));
    } else if (setting.has_default_()) {
      CHECK(!SetScalar(field, setting.default_(), message).has_value());
    } else if (IsOptionalSection(field)) {
      FillAbsent(nullptr, Join(path, field.name()),
                 *message.GetReflection()->MutableMessage(&message, &field));
    }
  }
}

}  // namespace caracal::pipeline
