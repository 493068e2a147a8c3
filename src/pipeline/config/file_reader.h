#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace caracal::pipeline {

struct FileContent {
  std::string text;
  /// Everybody on the machine may read it: worth a warning for a secret.
  bool world_readable = false;
};

/// Reads the files a configuration consists of. The loader sees the disk only through it.
/// Implementations are immutable: any thread.
class FileReader {
 public:
  virtual ~FileReader() = default;

  /// The whole file. NotFound, PermissionDenied, or OutOfRange when it is longer than max_bytes.
  virtual absl::StatusOr<FileContent> Read(const std::string& path, size_t max_bytes) const = 0;
  /// The files that match a shell pattern (`*` and `?` do not match '/'), sorted; a pattern without
  /// wildcards matches the file of that name.
  virtual std::vector<std::string> Glob(const std::string& pattern) const = 0;
};

/// The file system.
class DiskFileReader : public FileReader {
 public:
  absl::StatusOr<FileContent> Read(const std::string& path, size_t max_bytes) const override;
  std::vector<std::string> Glob(const std::string& pattern) const override;
};

/// Files held in memory, for configurations that never touch a disk: the demo's, tests', fuzzing.
class MemoryFileReader : public FileReader {
 public:
  explicit MemoryFileReader(std::map<std::string, FileContent> files) : files_(std::move(files)) {}

  absl::StatusOr<FileContent> Read(const std::string& path, size_t max_bytes) const override;
  std::vector<std::string> Glob(const std::string& pattern) const override;

 private:
  const std::map<std::string, FileContent> files_;
};

/// `path` as seen from the directory of `file`: unchanged when absolute.
std::string ResolvePath(const std::string& file, const std::string& path);

}  // namespace caracal::pipeline
