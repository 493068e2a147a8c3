#include "pipeline/config/document.h"

#include <utility>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMaxDocumentBytes = 1 << 20;

}  // namespace

std::optional<Document> ReadDocument(const std::string& path, const FileReader& files,
                                     Diagnostics& diagnostics, SourceSpan named_at) {
  const absl::StatusOr<FileContent> content = files.Read(path, kMaxDocumentBytes);
  if (!content.ok()) {
    const bool too_long = content.status().code() == absl::StatusCode::kOutOfRange;
    const bool named_by_user = named_at.line == 0;
    diagnostics.Add(
        too_long ? DiagnosticCode::kFileNotText : DiagnosticCode::kFileUnreadable, named_at,
        fmt::format("cannot read '{}': {}", path, agents::MessageOf(content.status())),
        named_by_user ? "name the configuration file with -c FILE or CARACAL_CONFIG" : "");
    return std::nullopt;
  }
  const int32_t source = diagnostics.AddSource(path, content->text);
  std::optional<YamlNode> root = ParseYaml(content->text, source, diagnostics);
  if (!root.has_value()) return std::nullopt;
  return Document{*std::move(root), Sha256Hex(content->text)};
}

}  // namespace caracal::pipeline
