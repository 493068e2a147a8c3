#include "pipeline/plugins/plugin_file.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

using Code = DiagnosticCode;

constexpr off_t kMaxFileBytes = 256 << 20;
constexpr size_t kChunkBytes = 1 << 16;

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
#error "name the ELF machine of this platform"
#endif

bool Refuse(PluginRefusal& refusal, Code code, std::string message) {
  refusal = {code, std::move(message)};
  return false;
}

std::string ErrorText() { return std::generic_category().message(errno); }

/// Closes a file when it goes.
class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

/// Empty when there is no such file.
std::string RealPath(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) == nullptr ? std::string() : std::string(resolved);
}

bool IsBelow(const std::string& path, const std::string& directory) {
  const std::string real = RealPath(directory);
  return !real.empty() && path.size() > real.size() && path.starts_with(real) &&
         (real == "/" || path[real.size()] == '/');
}

bool CheckPath(const PluginRequest& request, const std::vector<std::string>& directories,
               PluginFile& file, PluginRefusal& refusal) {
  if (!request.path.starts_with('/')) {
    return Refuse(refusal, Code::kPluginPath, "the path is not absolute; begin it with '/'");
  }
  for (const std::string& directory : directories) {
    if (directory.starts_with('/')) continue;
    return Refuse(refusal, Code::kPluginPath,
                  fmt::format("plugin_directories has '{}', which is not absolute; begin it with "
                              "'/'",
                              directory));
  }
  file.path = RealPath(request.path);
  if (file.path.empty()) {
    return Refuse(refusal, Code::kPluginUnreadable,
                  fmt::format("cannot be opened: {}; check the path", ErrorText()));
  }
  const bool allowed =
      std::any_of(directories.begin(), directories.end(),
                  [&file](const std::string& directory) { return IsBelow(file.path, directory); });
  if (allowed) return true;
  return Refuse(refusal, Code::kPluginPath,
                fmt::format("lies in none of the directories for plugins ({}); move it there, or "
                            "add its directory to plugin_directories",
                            fmt::join(directories, ", ")));
}

/// `what` is the file or its directory.
bool CheckWriters(const struct stat& status, std::string_view what, PluginRefusal& refusal) {
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Refuse(
        refusal, Code::kPluginWritable,
        fmt::format("{} may be written by its group or by everybody (mode {:04o}): whoever "
                    "does runs code in this process; chmod go-w",
                    what, status.st_mode & 07777));
  }
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return Refuse(refusal, Code::kPluginWritable,
                  fmt::format("{} belongs to user {}, neither root nor the user of this process "
                              "({}); chown it",
                              what, status.st_uid, geteuid()));
  }
  return true;
}

bool CheckFileStatus(const Descriptor& descriptor, const std::string& path,
                     PluginRefusal& refusal) {
  struct stat status = {};
  if (descriptor.get() < 0 || fstat(descriptor.get(), &status) != 0) {
    return Refuse(refusal, Code::kPluginUnreadable,
                  fmt::format("cannot be opened: {}; check its permissions", ErrorText()));
  }
  if (!S_ISREG(status.st_mode)) {
    return Refuse(refusal, Code::kPluginUnreadable, "is no regular file; give the path of one");
  }
  if (status.st_size > kMaxFileBytes) {
    return Refuse(refusal, Code::kPluginUnreadable, "is larger than 256 MiB; strip the library");
  }
  if (!CheckWriters(status, "the file", refusal)) return false;
  const std::string directory = path.substr(0, std::max<size_t>(1, path.rfind('/')));
  if (stat(directory.c_str(), &status) != 0) {
    return Refuse(refusal, Code::kPluginUnreadable,
                  fmt::format("'{}' cannot be read: {}", directory, ErrorText()));
  }
  return CheckWriters(status, fmt::format("its directory '{}'", directory), refusal);
}

bool ReadAll(const Descriptor& descriptor, std::string& bytes, PluginRefusal& refusal) {
  while (true) {
    const size_t size = bytes.size();
    bytes.resize(size + kChunkBytes);
    const ssize_t got = read(descriptor.get(), bytes.data() + size, kChunkBytes);
    bytes.resize(size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) {
      return Refuse(refusal, Code::kPluginUnreadable,
                    fmt::format("cannot be read: {}", ErrorText()));
    }
  }
}

bool CheckLibrary(const std::string& bytes, PluginRefusal& refusal) {
  Elf64_Ehdr header = {};
  std::memcpy(&header, bytes.data(), std::min(bytes.size(), sizeof(header)));
  const auto refuse = [&refusal](std::string message) {
    return Refuse(refusal, Code::kPluginNotALibrary, std::move(message));
  };
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return refuse("is no shared library; give the path of the .so file");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || bytes.size() < sizeof(header)) {
    return refuse("is no 64-bit library; build it for this machine");
  }
  if (header.e_machine != kMachine) {
    return refuse(
        fmt::format("is built for another processor (ELF machine {}, here it is {}); "
                    "build it for this machine",
                    header.e_machine, kMachine));
  }
  if (header.e_type != ET_DYN) {
    return refuse("is no shared library but an object file or a program; link it with -shared");
  }
  return true;
}

}  // namespace

bool CheckPluginFile(const PluginRequest& request, const std::vector<std::string>& directories,
                     PluginFile& file, PluginRefusal& refusal) {
  if (!CheckPath(request, directories, file, refusal)) return false;
  const Descriptor descriptor(file.path);
  std::string bytes;
  if (!CheckFileStatus(descriptor, file.path, refusal)) return false;
  if (!ReadAll(descriptor, bytes, refusal)) return false;
  file.sha256 = Sha256Hex(bytes);
  if (!request.sha256.empty() && request.sha256 != file.sha256) {
    return Refuse(refusal, Code::kPluginDigest,
                  fmt::format("has the SHA-256 {}, not {}; install the right file or correct "
                              "sha256",
                              file.sha256, request.sha256));
  }
  return CheckLibrary(bytes, refusal);
}

}  // namespace caracal::pipeline
