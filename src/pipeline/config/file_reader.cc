#include "pipeline/config/file_reader.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "absl/status/status.h"

namespace caracal::pipeline {
namespace {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status TooLong(size_t max_bytes) {
  return absl::OutOfRangeError(fmt::format("the file is longer than {} bytes", max_bytes));
}

absl::Status FromErrno(int error) {
  const std::string text = std::strerror(error);
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(text);
  if (error == EACCES) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

absl::StatusOr<std::string> ReadAll(int fd, size_t max_bytes) {
  std::string text;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FromErrno(errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
    if (text.size() > max_bytes) return TooLong(max_bytes);
  }
}

}  // namespace

absl::StatusOr<FileContent> DiskFileReader::Read(const std::string& path, size_t max_bytes) const {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return FromErrno(errno);
  struct stat status = {};
  if (fstat(file.fd(), &status) != 0) return FromErrno(errno);
  if (S_ISDIR(status.st_mode)) return absl::FailedPreconditionError("it is a folder, not a file");
  if (!S_ISREG(status.st_mode)) return absl::FailedPreconditionError("not a regular file");
  if (static_cast<uint64_t>(status.st_size) > max_bytes) return TooLong(max_bytes);
  absl::StatusOr<std::string> text = ReadAll(file.fd(), max_bytes);
  if (!text.ok()) return text.status();
  return FileContent{*std::move(text), (status.st_mode & S_IROTH) != 0};
}

std::vector<std::string> DiskFileReader::Glob(const std::string& pattern) const {
  glob_t matches = {};
  std::vector<std::string> paths;
  // Any failure means that nothing could be matched; the loader reports the pattern.
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
    paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  }
  globfree(&matches);
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::StatusOr<FileContent> MemoryFileReader::Read(const std::string& path,
                                                   size_t max_bytes) const {
  const auto it = files_.find(path);
  if (it == files_.end()) return absl::NotFoundError("No such file or directory");
  if (it->second.text.size() > max_bytes) return TooLong(max_bytes);
  return it->second;
}

std::vector<std::string> MemoryFileReader::Glob(const std::string& pattern) const {
  std::vector<std::string> paths;
  for (const auto& [path, content] : files_) {
    if (path == pattern || fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) {
      paths.push_back(path);
    }
  }
  return paths;
}

std::string ResolvePath(const std::string& file, const std::string& path) {
  if (!path.empty() && path.front() == '/') return path;
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

}  // namespace caracal::pipeline
