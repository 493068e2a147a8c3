#include "pipeline/generate/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;
constexpr mode_t kFileMode = 0644;

std::string_view Remedy(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "; create its folder first";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; choose a place you may write to";
    case EISDIR:
      return "; name a file in it";
    case ENOSPC:
    case EDQUOT:
      return "; make room, or choose another place";
    default:
      return "";
  }
}

absl::Status SystemError(const std::string& path, std::string_view what, int error) {
  if (error == EPIPE) {
    return absl::CancelledError(fmt::format("the reader of {} has gone away", path));
  }
  return absl::UnknownError(
      fmt::format("{} {} failed: {}{}", what, path, std::strerror(error), Remedy(error)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Open(const std::string& path) {
  if (path == "-") {
    return std::unique_ptr<OutputFile>(new OutputFile("standard output", STDOUT_FILENO, false));
  }
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return SystemError(path, "opening", errno);
  return std::unique_ptr<OutputFile>(new OutputFile(path, descriptor, true));
}

OutputFile::OutputFile(std::string path, int descriptor, bool owned)
    : path_(std::move(path)), descriptor_(descriptor), owned_(owned), buffer_(kBufferBytes) {}

OutputFile::~OutputFile() {
  if (owned_ && descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<TextCursor> OutputFile::Reserve(size_t bytes) {
  if (buffer_.size() - used_ < bytes) {
    RETURN_IF_ERROR(Flush());
    if (buffer_.size() < bytes) buffer_.resize(bytes);
  }
  return TextCursor(buffer_.data() + used_);
}

void OutputFile::Commit(const TextCursor& end) {
  used_ = static_cast<size_t>(end.position() - buffer_.data());
}

absl::Status OutputFile::Append(std::string_view text) {
  ASSIGN_OR_RETURN(TextCursor out, Reserve(text.size()));
  out.Put(text);
  Commit(out);
  return absl::OkStatus();
}

absl::Status OutputFile::Flush() {
  const std::string_view pending(buffer_.data(), used_);
  used_ = 0;
  return WriteOut(pending);
}

absl::Status OutputFile::WriteOut(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path_, "writing", errno);
    bytes.remove_prefix(static_cast<size_t>(count));
    written_ += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Close() {
  RETURN_IF_ERROR(Flush());
  if (!owned_) return absl::OkStatus();
  const int descriptor = std::exchange(descriptor_, -1);
  // close() is where a network file system reports a failed write; after EINTR the descriptor is
  // gone all the same.
  if (close(descriptor) != 0 && errno != EINTR) return SystemError(path_, "closing", errno);
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
