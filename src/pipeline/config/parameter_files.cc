#include "pipeline/config/parameter_files.h"

#include <utility>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

absl::StatusOr<std::string> DigestOf(const FileReader& files, const std::string& path) {
  ASSIGN_OR_RETURN(const FileContent content, files.Read(path, kMaxParameterFileBytes));
  return Sha256Hex(content.text);
}

}  // namespace

std::optional<agents::ParameterFile> ParameterFiles::Find(const std::string& path,
                                                          const std::string& parameter,
                                                          std::optional<ValueProblem>& problem) {
  if (path.empty() || path.front() != '/') {
    problem = {DiagnosticCode::kMalformedText,
               fmt::format("'{}' must be the absolute path of a file, not '{}'", parameter, path),
               "begin it with '/': rule files are used from any folder"};
    return std::nullopt;
  }
  auto it = digests_.find(path);
  if (it == digests_.end()) it = digests_.emplace(path, DigestOf(files_, path)).first;
  if (it->second.ok()) return agents::ParameterFile{path, *it->second};
  problem = {DiagnosticCode::kFileUnreadable,
             fmt::format("'{}': cannot read '{}': {}", parameter, path,
                         agents::MessageOf(it->second.status()))};
  return std::nullopt;
}

absl::StatusOr<std::string> ReadParameterFile(const FileReader& files,
                                              const agents::ParameterFile& file) {
  absl::StatusOr<FileContent> content = files.Read(file.path, kMaxParameterFileBytes);
  if (!content.ok()) {
    return absl::Status(content.status().code(),
                        fmt::format("cannot read '{}', which was there when the rules were loaded: "
                                    "{}; put it back and start again",
                                    file.path, agents::MessageOf(content.status())));
  }
  const std::string sha256 = Sha256Hex(content->text);
  if (sha256 == file.sha256) return std::move(content->text);
  return absl::FailedPreconditionError(fmt::format(
      "'{}' has changed since the rules were loaded (its SHA-256 was {}, it is {}); start again, "
      "so that all workers judge by the same file",
      file.path, file.sha256, sha256));
}

}  // namespace caracal::pipeline
