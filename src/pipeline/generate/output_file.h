#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/generate/text_cursor.h"

namespace caracal::pipeline {

/// Writes bytes to a file or to standard output through a buffer of 256 KiB. A reader that has
/// gone away gives Cancelled, any other failure Unknown with the system's reason. One thread at a
/// time. The destructor closes without flushing: call Close.
class OutputFile {
 public:
  /// `path`: "-" is standard output; a file is created or truncated. NotFound or PermissionDenied
  /// style errors arrive as Unknown, with the path.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Open(const std::string& path);

  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  /// A cursor with room for `bytes`, to be given back by Commit. An error leaves nothing reserved.
  absl::StatusOr<TextCursor> Reserve(size_t bytes);
  void Commit(const TextCursor& end);

  absl::Status Append(std::string_view text);
  absl::Status Flush();
  absl::Status Close();
  /// Bytes appended so far.
  uint64_t bytes() const { return written_ + used_; }

 private:
  OutputFile(std::string path, int descriptor, bool owned);
  absl::Status WriteOut(std::string_view bytes);

  const std::string path_;
  int descriptor_;
  const bool owned_;
  std::vector<char> buffer_;
  size_t used_ = 0;
  uint64_t written_ = 0;
};

}  // namespace caracal::pipeline
