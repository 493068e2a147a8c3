#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agents/api/parameters.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/config/settings.h"

namespace caracal::pipeline {

/// The largest file a parameter may name, in bytes.
inline constexpr size_t kMaxParameterFileBytes = size_t{1} << 30;

/// Checks the files that parameters of rules name, and takes their digests: each file is read once,
/// however many rules name it, so that all of one load judge by the same bytes. The bytes are
/// dropped: agents read them again (ReadParameterFile). One thread at a time.
class ParameterFiles {
 public:
  /// `files` outlives it.
  explicit ParameterFiles(const FileReader& files) : files_(files) {}

  /// The file at `path`. nullopt, with `problem` set, when the path is relative, or there is no
  /// regular, readable file of at most kMaxParameterFileBytes. `parameter` names it in messages.
  std::optional<agents::ParameterFile> Find(const std::string& path, const std::string& parameter,
                                            std::optional<ValueProblem>& problem);

 private:
  const FileReader& files_;
  std::map<std::string, absl::StatusOr<std::string>> digests_;  ///< by path
};

/// The bytes of `file`, which still have its digest. FailedPrecondition when they changed, else why
/// they cannot be read; the message says what to do. Any thread.
absl::StatusOr<std::string> ReadParameterFile(const FileReader& files,
                                              const agents::ParameterFile& file);

}  // namespace caracal::pipeline
