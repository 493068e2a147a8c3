#include "pipeline/config/overrides.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pipeline/base/utf8.h"
#include "pipeline/config/suggestion.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kPrefix = "CARACAL_";
constexpr int64_t kMaxIndex = 1'000;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// One override, split into the levels of its path.
struct Override {
  std::vector<std::string> levels;
  std::string value;
  SourceSpan span;
  /// From the environment: keys of dotted maps come with '_'.
  bool from_environment = false;
};

/// Lays one override over the tree.
class Overlay {
 public:
  Overlay(const Override& item, Diagnostics& diagnostics)
      : item_(item), diagnostics_(diagnostics) {}

  void Apply(const MessageDescriptor& section, YamlNode& root) {
    if (ValidUtf8Prefix(item_.value) != item_.value.size()) {
      return Fail(DiagnosticCode::kOverrideSyntax, "the value is not UTF-8 text");
    }
    InSection(section, root, 0);
  }

 private:
  void InSection(const MessageDescriptor& section, YamlNode& node, size_t level) {
    MakeMap(node);
    if (level == item_.levels.size()) {
      return Fail(DiagnosticCode::kOverrideUnknown, "names a section, not a single setting");
    }
    const std::string& name = item_.levels[level];
    const FieldDescriptor* field = section.FindFieldByName(name);
    if (field == nullptr) {
      return Fail(DiagnosticCode::kOverrideUnknown, fmt::format("there is no setting '{}'", name),
                  DidYouMean(name, KeysOf(section)));
    }
    YamlNode* child = MapEntry(node, name);
    if (child == nullptr) return;
    if (field->is_map()) {
      InMap(*field, *child, level + 1);
    } else if (field->is_repeated() && level + 1 < item_.levels.size()) {
      InList(*field, *child, level + 1);
    } else if (field->message_type() != nullptr && !field->is_repeated()) {
      InSection(*field->message_type(), *child, level + 1);
    } else if (level + 1 < item_.levels.size()) {
      Fail(DiagnosticCode::kOverrideUnknown, fmt::format("'{}' has no parts", name));
    } else if (field->is_repeated()) {
      SetYaml(*child);
    } else {
      SetText(*child);
    }
  }

  /// Maps of text take the rest of the path as one key.
  void InMap(const FieldDescriptor& field, YamlNode& node, size_t level) {
    MakeMap(node);
    if (level == item_.levels.size()) {
      return Fail(DiagnosticCode::kOverrideUnknown, "names a map: add the key to set in it");
    }
    std::string key = item_.levels[level];
    for (size_t i = level + 1; i < item_.levels.size(); ++i) key += "." + item_.levels[i];
    if (item_.from_environment && SettingOf(field).dotted_keys()) {
      std::replace(key.begin(), key.end(), '_', '.');
    }
    if (YamlNode* child = MapEntry(node, key)) SetText(*child);
  }

  void InList(const FieldDescriptor& field, YamlNode& node, size_t level) {
    const std::optional<int64_t> index = ParseInteger(item_.levels[level]);
    if (node.kind == YamlNode::Kind::kNull) node.kind = YamlNode::Kind::kSequence;
    if (!index.has_value() || *index < 0 || *index > kMaxIndex ||
        node.kind != YamlNode::Kind::kSequence) {
      return Fail(DiagnosticCode::kOverrideUnknown,
                  fmt::format("'{}' is a list: '{}' is not a place in it", field.name(),
                              item_.levels[level]));
    }
    const auto place = static_cast<size_t>(*index);
    if (place > node.items.size()) {
      return Fail(DiagnosticCode::kOverrideUnknown,
                  fmt::format("'{}' has {} items: there is no item {}", field.name(),
                              node.items.size(), place));
    }
    if (place == node.items.size()) node.items.push_back(NewNode());
    if (field.message_type() != nullptr) {
      InSection(*field.message_type(), node.items[place], level + 1);
    } else if (level + 1 < item_.levels.size()) {
      Fail(DiagnosticCode::kOverrideUnknown, fmt::format("'{}' has no parts", field.name()));
    } else {
      SetText(node.items[place]);
    }
  }

  /// The entry of a map, made when missing; null when the node is something else.
  YamlNode* MapEntry(YamlNode& node, const std::string& key) {
    MakeMap(node);
    if (node.kind != YamlNode::Kind::kMap) {
      Fail(DiagnosticCode::kOverrideUnknown,
           fmt::format("'{}' would lie in {}", key, KindText(node)));
      return nullptr;
    }
    if (YamlNode* found = node.Find(key)) return found;
    node.entries.push_back({key, item_.span, NewNode()});
    return &node.entries.back().value;
  }

  /// Lets a value that is absent or empty hold entries.
  void MakeMap(YamlNode& node) const {
    if (node.kind != YamlNode::Kind::kNull) return;
    node.kind = YamlNode::Kind::kMap;
    node.span = item_.span;
  }

  YamlNode NewNode() const {
    YamlNode node;
    node.span = item_.span;
    return node;
  }

  void SetText(YamlNode& node) {
    node = NewNode();
    node.kind = YamlNode::Kind::kScalar;
    node.text = item_.value;
  }

  void SetYaml(YamlNode& node) {
    Diagnostics local;
    std::optional<YamlNode> value = ParseYaml(item_.value, local.AddSource("", item_.value), local);
    if (!value.has_value() || !local.ok()) {
      const std::vector<Diagnostic> problems = local.Sorted();
      return Fail(DiagnosticCode::kOverrideSyntax,
                  "the value is not a YAML list: " + problems.front().message, "write [a, b]");
    }
    node = *std::move(value);
    Relocate(node);
  }

  /// Moves a value parsed on its own to where it was given.
  void Relocate(YamlNode& node) {
    node.span = item_.span;
    for (YamlNode& inner : node.items) Relocate(inner);
    for (YamlEntry& entry : node.entries) {
      entry.key_span = item_.span;
      Relocate(entry.value);
    }
  }

  void Fail(DiagnosticCode code, std::string message, std::string hint = "") {
    diagnostics_.Add(code, item_.span, std::move(message), std::move(hint));
  }

  const Override& item_;
  Diagnostics& diagnostics_;
};

std::vector<std::string> SplitVariable(std::string_view name) {
  std::vector<std::string> levels(1);
  for (size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i, 2) == "__") {
      levels.emplace_back();
      ++i;
    } else {
      levels.back().push_back(Lower(name[i]));
    }
  }
  return levels;
}

/// "streams[0].topic" and "streams.0.topic" are both {streams, 0, topic}.
std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> levels(1);
  for (const char c : path) {
    if (c == '.' || c == '[') {
      levels.emplace_back();
    } else if (c != ']') {
      levels.back().push_back(c);
    }
  }
  return levels;
}

}  // namespace

std::string EnvironmentName(const std::string& path) {
  std::string name(kPrefix);
  for (const std::string& level : SplitPath(path)) {
    if (name.size() > kPrefix.size()) name += "__";
    for (const char c : level) name.push_back(Upper(c));
  }
  return name;
}

void ApplyEnvironment(const Environment& environment, const MessageDescriptor& section,
                      YamlNode& root, Diagnostics& diagnostics) {
  for (const auto& [name, value] : environment) {
    if (std::string_view(name).substr(0, kPrefix.size()) != kPrefix) continue;
    Override item;
    item.levels = SplitVariable(std::string_view(name).substr(kPrefix.size()));
    if (item.levels.size() == 1) {
      const FieldDescriptor* field = section.FindFieldByName(item.levels.front());
      const bool is_ours = field != nullptr && !field->is_map() &&
                           (field->message_type() == nullptr || field->is_repeated());
      if (!is_ours) continue;
    }
    item.value = value;
    item.span = {diagnostics.AddSource(name, ""), 0, 0, 1};
    item.from_environment = true;
    Overlay(item, diagnostics).Apply(section, root);
  }
}

void ApplySets(const std::vector<std::string>& sets, const MessageDescriptor& section,
               YamlNode& root, Diagnostics& diagnostics) {
  for (const std::string& argument : sets) {
    const size_t equals = argument.find('=');
    Override item;
    item.span = {diagnostics.AddSource("--set " + argument.substr(0, equals), ""), 0, 0, 1};
    if (equals == std::string::npos || equals == 0) {
      diagnostics.Add(DiagnosticCode::kOverrideSyntax, item.span,
                      "an override needs a path and a value", "write --set path=value");
      continue;
    }
    item.levels = SplitPath(std::string_view(argument).substr(0, equals));
    item.value = argument.substr(equals + 1);
    Overlay(item, diagnostics).Apply(section, root);
  }
}

}  // namespace caracal::pipeline
