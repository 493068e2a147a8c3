#include "pipeline/config/parameter_binder.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "pipeline/config/suggestion.h"

namespace caracal::pipeline {
namespace {

using agents::ParameterFile;
using agents::Parameters;
using agents::ParameterSpec;
using agents::ParameterType;

constexpr size_t kMaxListItems = 10'000;
constexpr size_t kMaxFiles = 100;

std::vector<std::string> NamesOf(const std::vector<ParameterSpec>& specs) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : specs) names.push_back(spec.name);
  return names;
}

const ParameterSpec* FindSpec(const std::vector<ParameterSpec>& specs, const std::string& name) {
  const auto it = std::find_if(specs.begin(), specs.end(),
                               [&](const ParameterSpec& spec) { return spec.name == name; });
  return it == specs.end() ? nullptr : &*it;
}

/// The spec of one item of a list.
ParameterSpec ItemSpec(const ParameterSpec& list) {
  ParameterSpec item = list;
  item.type = ParameterType::kText;
  return item;
}

std::string Join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

}  // namespace

Parameters ParameterBinder::Bind(const std::vector<ParameterSpec>& specs,
                                 const std::vector<const YamlEntry*>& entries,
                                 const std::vector<std::string>& other_keys, SourceSpan rule_span) {
  return BindAll(specs, entries, other_keys, "", rule_span);
}

std::optional<SourceSpan> ParameterBinder::SpanOf(const std::string& path) const {
  const auto it = spans_.find(path);
  if (it != spans_.end()) return it->second;
  const std::string suffix = "." + path;
  std::optional<SourceSpan> found;
  for (const auto& [known, span] : spans_) {
    if (!known.ends_with(suffix)) continue;
    if (found.has_value()) return std::nullopt;
    found = span;
  }
  return found;
}

Parameters ParameterBinder::BindAll(const std::vector<ParameterSpec>& specs,
                                    const std::vector<const YamlEntry*>& entries,
                                    const std::vector<std::string>& other_keys,
                                    const std::string& prefix, SourceSpan owner_span) {
  Parameters parameters;
  for (const YamlEntry* entry : entries) {
    const std::string path = Join(prefix, entry->key);
    const ParameterSpec* spec = FindSpec(specs, entry->key);
    if (spec == nullptr) {
      std::vector<std::string> candidates = NamesOf(specs);
      candidates.insert(candidates.end(), other_keys.begin(), other_keys.end());
      Unknown(*entry, std::move(candidates), prefix);
      continue;
    }
    spans_[path] = entry->value.span;
    Value value = entry->value.broken ? std::nullopt : BindValue(*spec, entry->value, path);
    if (value.has_value()) {
      parameters.Set(spec->name, *std::move(value));
    } else {
      complete_ = false;
    }
  }
  for (const ParameterSpec& spec : specs) {
    const std::string path = Join(prefix, spec.name);
    if (spans_.count(path) > 0) continue;
    if (Value value = DefaultOf(spec, path, owner_span)) {
      parameters.Set(spec.name, *std::move(value));
    }
  }
  return parameters;
}

ParameterBinder::Value ParameterBinder::DefaultOf(const ParameterSpec& spec,
                                                  const std::string& path, SourceSpan owner_span) {
  if (spec.required && misspelt_.count(path) == 0) {
    diagnostics_.Add(DiagnosticCode::kMissingKey, owner_span,
                     fmt::format("agent '{}' needs '{}'", agent_, path), spec.doc);
  }
  if (spec.required) complete_ = false;
  if (spec.required || !spec.default_text.has_value()) return std::nullopt;
  std::optional<ValueProblem> problem;
  Value value = ParseParameter(spec, *spec.default_text, path, problem);
  if (problem.has_value()) {
    diagnostics_.Add(DiagnosticCode::kParameterRefused, owner_span,
                     fmt::format("agent '{}' declares a default that is not valid: {}", agent_,
                                 problem->message),
                     "report it to the author of the agent");
    complete_ = false;
  }
  return value;
}

void ParameterBinder::Unknown(const YamlEntry& entry, std::vector<std::string> candidates,
                              const std::string& prefix) {
  const std::string owner =
      prefix.empty() ? fmt::format("agent '{}'", agent_) : fmt::format("'{}'", prefix);
  diagnostics_.Add(DiagnosticCode::kParameterUnknown, entry.key_span,
                   fmt::format("{} has no parameter '{}'", owner, entry.key),
                   DidYouMean(entry.key, candidates));
  misspelt_.insert(Join(prefix, NearestName(entry.key, candidates)));
  complete_ = false;
}

void ParameterBinder::WrongKind(const YamlNode& node, const std::string& path,
                                std::string_view expected) {
  const bool empty = node.kind == YamlNode::Kind::kNull;
  diagnostics_.Add(empty ? DiagnosticCode::kEmptyValue : DiagnosticCode::kWrongType, node.span,
                   empty ? fmt::format("'{}' has no value", path)
                         : fmt::format("'{}' must be {}, not {}", path, expected, KindText(node)));
}

ParameterBinder::Value ParameterBinder::BindValue(const ParameterSpec& spec, const YamlNode& node,
                                                  const std::string& path) {
  switch (spec.type) {
    case ParameterType::kObject:
      return BindObject(spec, node, path);
    case ParameterType::kTextList:
      return BindTextList(spec, node, path);
    case ParameterType::kFile:
      return BindFile(spec, node, path);
    case ParameterType::kFileList:
      return BindFileList(spec, node, path);
    default:
      return BindText(spec, node, path);
  }
}

ParameterBinder::Value ParameterBinder::BindText(const ParameterSpec& spec, const YamlNode& node,
                                                 const std::string& path) {
  if (node.kind != YamlNode::Kind::kScalar) {
    WrongKind(node, path, "a single value");
    return std::nullopt;
  }
  std::optional<ValueProblem> problem;
  Value value = ParseParameter(spec, node.text, path, problem);
  if (problem.has_value()) {
    diagnostics_.Add(problem->code, node.span, problem->message, problem->hint);
  }
  return value;
}

ParameterBinder::Value ParameterBinder::BindTextList(const ParameterSpec& spec,
                                                     const YamlNode& node,
                                                     const std::string& path) {
  const YamlNode* name = node.entries.size() == 1 ? node.Find("list") : nullptr;
  if (name != nullptr && name->kind == YamlNode::Kind::kScalar) {
    const NamedListValues* list = lists_.Use(name->text, name->span);
    if (list == nullptr || !CheckItems(spec, list->values, path, node.span)) return std::nullopt;
    lists_by_path_[path] = name->text;
    return agents::ParameterValue(list->values);
  }
  if (node.kind != YamlNode::Kind::kSequence) {
    WrongKind(node, path, "a list or {list: name}");
    return std::nullopt;
  }
  if (node.items.size() > kMaxListItems) {
    diagnostics_.Add(DiagnosticCode::kOutOfBounds, node.span,
                     fmt::format("'{}' may have at most {} entries", path, kMaxListItems),
                     "longer lists go into a file: see lists");
    return std::nullopt;
  }
  const ParameterSpec item_spec = ItemSpec(spec);
  std::vector<std::string> values;
  for (const YamlNode& item : node.items) {
    const Value value = item.broken ? std::nullopt : BindText(item_spec, item, path);
    if (!value.has_value()) {
      complete_ = false;
      continue;
    }
    values.push_back(std::get<std::string>(*value));
  }
  return agents::ParameterValue(std::move(values));
}

ParameterBinder::Value ParameterBinder::BindFile(const ParameterSpec& spec, const YamlNode& node,
                                                 const std::string& path) {
  const Value text = BindText(spec, node, path);
  if (!text.has_value()) return std::nullopt;
  std::optional<ValueProblem> problem;
  std::optional<ParameterFile> file = files_.Find(std::get<std::string>(*text), path, problem);
  if (file.has_value()) return agents::ParameterValue(*std::move(file));
  diagnostics_.Add(problem->code, node.span, problem->message, problem->hint);
  return std::nullopt;
}

ParameterBinder::Value ParameterBinder::BindFileList(const ParameterSpec& spec,
                                                     const YamlNode& node,
                                                     const std::string& path) {
  if (node.kind != YamlNode::Kind::kSequence) {
    WrongKind(node, path, "a list of files");
    return std::nullopt;
  }
  if (node.items.size() > kMaxFiles) {
    diagnostics_.Add(DiagnosticCode::kOutOfBounds, node.span,
                     fmt::format("'{}' may have at most {} files", path, kMaxFiles));
    return std::nullopt;
  }
  ParameterSpec item_spec = spec;
  item_spec.type = ParameterType::kFile;
  std::vector<ParameterFile> files;
  for (const YamlNode& item : node.items) {
    Value value = item.broken ? std::nullopt : BindFile(item_spec, item, path);
    if (!value.has_value()) {
      complete_ = false;
      continue;
    }
    files.push_back(std::get<ParameterFile>(*std::move(value)));
  }
  return agents::ParameterValue(std::move(files));
}

bool ParameterBinder::CheckItems(const ParameterSpec& spec, const std::vector<std::string>& values,
                                 const std::string& path, SourceSpan span) {
  const ParameterSpec item_spec = ItemSpec(spec);
  for (const std::string& value : values) {
    std::optional<ValueProblem> problem;
    ParseParameter(item_spec, value, path, problem);
    if (!problem.has_value()) continue;
    diagnostics_.Add(problem->code, span, problem->message, problem->hint);
    return false;
  }
  return true;
}

ParameterBinder::Value ParameterBinder::BindObject(const ParameterSpec& spec, const YamlNode& node,
                                                   const std::string& path) {
  if (node.kind != YamlNode::Kind::kMap) {
    WrongKind(node, path, "a map");
    return std::nullopt;
  }
  std::vector<const YamlEntry*> entries;
  for (const YamlEntry& entry : node.entries) entries.push_back(&entry);
  return agents::ParameterValue(
      std::make_shared<const Parameters>(BindAll(spec.fields, entries, {}, path, node.span)));
}

}  // namespace caracal::pipeline
