#include "pipeline/config/parameter_text.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/config/named_lists.h"
#include "pipeline/config/parameter_binder.h"
#include "pipeline/config/parameter_files.h"
#include "pipeline/config/path_spans.h"
#include "pipeline/config/yaml_tree.h"

namespace caracal::pipeline {
namespace {

/// A flow map may come without its braces.
std::string InBraces(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first != std::string::npos && text[first] == '{') return text;
  return "{" + text + "}";
}

std::string TextOf(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& finding : diagnostics.Sorted()) {
    if (!text.empty()) text += '\n';
    text += fmt::format("{}: {}", InfoOf(finding.code).name, finding.message);
    if (!finding.hint.empty()) text += fmt::format(" ({})", finding.hint);
  }
  return text;
}

}  // namespace

absl::StatusOr<agents::Parameters> ParametersFromText(const std::string& text,
                                                      const agents::AgentInfo& agent) {
  Diagnostics diagnostics;
  const std::string in_braces = InBraces(text);
  const int32_t source = diagnostics.AddSource("parameters", in_braces);
  const std::optional<YamlNode> root = ParseYaml(in_braces, source, diagnostics);
  const DiskFileReader files;
  const PathSpans spans;
  NamedLists lists({}, "", files, spans, diagnostics);
  ParameterFiles parameter_files(files);
  agents::Parameters parameters;
  if (root.has_value()) {
    std::vector<const YamlEntry*> entries;
    for (const YamlEntry& entry : root->entries) entries.push_back(&entry);
    ParameterBinder binder(agent.name, lists, parameter_files, diagnostics);
    parameters = binder.Bind(agent.parameters, entries, {}, {source, 1, 1});
  }
  if (diagnostics.ok()) return parameters;
  return absl::InvalidArgumentError(TextOf(diagnostics));
}

}  // namespace caracal::pipeline
