#include "pipeline/config/references.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/utf8.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMaxSecretFileBytes = 64 << 10;
constexpr size_t kMaxValueBytes = 64 << 10;

bool IsVariableName(std::string_view name) {
  const auto is_good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), is_good);
}

/// Resolves the references of one tree.
class Resolver {
 public:
  Resolver(const ReferenceScope& scope, Diagnostics& diagnostics)
      : scope_(scope), diagnostics_(diagnostics) {}

  void Resolve(YamlNode& node) {
    if (node.kind == YamlNode::Kind::kScalar && node.text.find("${") != std::string::npos) {
      ResolveScalar(node);
    }
    for (YamlNode& item : node.items) Resolve(item);
    for (YamlEntry& entry : node.entries) Resolve(entry.value);
  }

 private:
  void ResolveScalar(YamlNode& node) {
    std::string resolved;
    bool has_reference = false;
    std::string_view rest = node.text;
    while (!rest.empty()) {
      const size_t start = rest.find("${");
      if (start == std::string_view::npos) break;
      if (start > 0 && rest[start - 1] == '$') {
        resolved.append(rest.substr(0, start - 1)).append("${");
        rest.remove_prefix(start + 2);
        continue;
      }
      resolved.append(rest.substr(0, start));
      rest.remove_prefix(start + 2);
      const size_t end = rest.find('}');
      const std::optional<std::string> value = end == std::string_view::npos
                                                   ? Malformed(node, "'${' without '}'")
                                                   : Value(node, std::string(rest.substr(0, end)));
      if (!value.has_value() || resolved.size() + value->size() > kMaxValueBytes) {
        if (value.has_value()) Malformed(node, "the value grows longer than 64 KiB");
        node.broken = true;
        return;
      }
      has_reference = true;
      resolved.append(*value);
      rest.remove_prefix(end + 1);
    }
    resolved.append(rest);
    if (has_reference) node.reference = node.text;
    node.text = std::move(resolved);
  }

  std::nullopt_t Malformed(const YamlNode& node, std::string message) {
    diagnostics_.Add(DiagnosticCode::kReferenceSyntax, node.span, std::move(message),
                     "write ${env:NAME}, ${env:NAME:-default} or ${file:PATH}");
    return std::nullopt;
  }

  /// The value of `body`, the text between the braces.
  std::optional<std::string> Value(const YamlNode& node, const std::string& body) {
    if (body.find("${") != std::string::npos) {
      return Malformed(node, "references cannot be nested");
    }
    if (body.substr(0, 4) == "env:") return Variable(node, body.substr(4));
    if (body.substr(0, 5) == "file:") return File(node, body.substr(5));
    if (IsVariableName(body)) {
      return Malformed(node, fmt::format("'${{{0}}}' does not say where {0} comes from", body));
    }
    return Malformed(node, fmt::format("'${{{}}}' is not a known reference", body));
  }

  std::optional<std::string> Variable(const YamlNode& node, const std::string& body) {
    const size_t dash = body.find(":-");
    const std::string name = body.substr(0, dash);
    if (!IsVariableName(name)) {
      return Malformed(node, fmt::format("'{}' is not the name of a variable", name));
    }
    const auto it = scope_.environment->find(name);
    const bool has_default = dash != std::string::npos;
    if (it != scope_.environment->end() && !(it->second.empty() && has_default)) {
      return SingleLine(node, it->second, fmt::format("variable {}", name));
    }
    if (has_default) return body.substr(dash + 2);
    diagnostics_.Add(DiagnosticCode::kVariableUnset, node.span,
                     fmt::format("environment variable {} is not set", name),
                     fmt::format("set it, or write ${{env:{}:-default}}", name));
    return std::nullopt;
  }

  std::optional<std::string> File(const YamlNode& node, const std::string& path) {
    const absl::StatusOr<FileContent> content =
        scope_.files->Read(ResolvePath(scope_.base_file, path), kMaxSecretFileBytes);
    if (!content.ok()) {
      diagnostics_.Add(
          DiagnosticCode::kSecretUnreadable, node.span,
          fmt::format("cannot read '{}': {}", path, agents::MessageOf(content.status())));
      return std::nullopt;
    }
    if (content->world_readable) {
      diagnostics_.Add(DiagnosticCode::kSecretExposed, node.span,
                       fmt::format("everybody on this machine can read '{}'", path),
                       fmt::format("chmod o-r {}", path));
    }
    std::string text = content->text;
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (!text.empty() && text.back() == '\r') text.pop_back();
    diagnostics_.AddSecret(text);
    return SingleLine(node, text, fmt::format("file '{}'", path));
  }

  std::optional<std::string> SingleLine(const YamlNode& node, const std::string& text,
                                        const std::string& origin) {
    if (ValidUtf8Prefix(text) != text.size()) {
      diagnostics_.Add(DiagnosticCode::kFileNotText, node.span,
                       fmt::format("the value of {} is not UTF-8 text", origin));
      return std::nullopt;
    }
    if (text.find_first_of("\n\r") == std::string::npos) return text;
    diagnostics_.Add(DiagnosticCode::kReferenceNewline, node.span,
                     fmt::format("the value of {} has more than one line", origin));
    return std::nullopt;
  }

  const ReferenceScope& scope_;
  Diagnostics& diagnostics_;
};

}  // namespace

void ResolveReferences(const ReferenceScope& scope, YamlNode& root, Diagnostics& diagnostics) {
  Resolver(scope, diagnostics).Resolve(root);
}

}  // namespace caracal::pipeline
