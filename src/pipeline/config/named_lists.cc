#include "pipeline/config/named_lists.h"

#include <string_view>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/sha256.h"
#include "pipeline/base/utf8.h"
#include "pipeline/config/suggestion.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMaxListFileBytes = 4 << 20;
constexpr size_t kMaxListValues = 100'000;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

std::string DigestOf(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += value + "\n";
  return Sha256Hex(text);
}

}  // namespace

NamedLists::NamedLists(const caracal::config::v1::RuleFile& file, const std::string& rule_file,
                       const FileReader& files, const PathSpans& spans, Diagnostics& diagnostics)
    : spans_(spans), diagnostics_(diagnostics) {
  for (const auto& [name, list] : file.lists()) {
    const std::string path = "lists." + name;
    NamedListValues& values = lists_[name];
    values.values.assign(list.values().begin(), list.values().end());
    if (!list.file().empty()) {
      if (!values.values.empty()) {
        diagnostics_.Add(DiagnosticCode::kFieldConflict, spans_.Key(path),
                         fmt::format("list '{}' has both values and a file", name));
      }
      if (!ReadFile(list.file(), rule_file, files, spans_.Value(path + ".file"), values)) continue;
    }
    if (values.values.empty()) {
      diagnostics_.Add(DiagnosticCode::kEmptyValue, spans_.Key(path),
                       fmt::format("list '{}' is empty", name));
    }
    values.sha256 = DigestOf(values.values);
  }
}

bool NamedLists::ReadFile(const std::string& path, const std::string& rule_file,
                          const FileReader& files, SourceSpan span, NamedListValues& list) {
  const absl::StatusOr<FileContent> content =
      files.Read(ResolvePath(rule_file, path), kMaxListFileBytes);
  if (!content.ok()) {
    diagnostics_.Add(
        DiagnosticCode::kFileUnreadable, span,
        fmt::format("cannot read '{}': {}", path, agents::MessageOf(content.status())));
    return false;
  }
  if (ValidUtf8Prefix(content->text) != content->text.size()) {
    diagnostics_.Add(DiagnosticCode::kFileNotText, span,
                     fmt::format("'{}' is not UTF-8 text", path));
    return false;
  }
  std::string_view rest = content->text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = Trimmed(rest.substr(0, end));
    if (!line.empty() && line.front() != '#') list.values.emplace_back(line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (list.values.size() <= kMaxListValues) return true;
  diagnostics_.Add(DiagnosticCode::kOutOfBounds, span,
                   fmt::format("'{}' has more than {} values", path, kMaxListValues));
  return false;
}

const NamedListValues* NamedLists::Use(const std::string& name, SourceSpan span) {
  const auto it = lists_.find(name);
  if (it != lists_.end()) {
    used_.insert(name);
    return &it->second;
  }
  std::vector<std::string> names;
  for (const auto& [known, list] : lists_) names.push_back(known);
  diagnostics_.Add(DiagnosticCode::kListUnknown, span,
                   fmt::format("there is no list '{}' in this file", name),
                   DidYouMean(name, names));
  return nullptr;
}

void NamedLists::ReportUnused() const {
  for (const auto& [name, list] : lists_) {
    if (used_.count(name) > 0) continue;
    diagnostics_.Add(DiagnosticCode::kListUnused, spans_.Key("lists." + name),
                     fmt::format("no rule uses list '{}'", name));
  }
}

}  // namespace caracal::pipeline
