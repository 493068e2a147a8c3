#include "pipeline/observe/descriptor_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <string>

namespace caracal::pipeline {

bool DescriptorWriter::WriteLine(std::string_view line) {
  std::string bytes;
  bytes.reserve(line.size() + 1);
  bytes += line;
  bytes += '\n';
  return Write(bytes);
}

bool DescriptorWriter::Write(std::string_view bytes) const {
  while (!bytes.empty()) {
    if (!WaitUntilWritable()) return false;
    // A pipe that poll() calls writable takes PIPE_BUF bytes without blocking, and not one more.
    const ssize_t written = write(fd_, bytes.data(), std::min(bytes.size(), size_t{PIPE_BUF}));
    if (written < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

bool DescriptorWriter::WaitUntilWritable() const {
  if (fd_ < 0) return false;  // poll() would ignore it and wait for ever
  pollfd descriptor = {.fd = fd_, .events = POLLOUT, .revents = 0};
  while (!abandoned_.load(std::memory_order_relaxed)) {
    const int ready = poll(&descriptor, 1, kPollMillis);
    if (ready > 0) return (descriptor.revents & POLLOUT) != 0;
    if (ready < 0 && errno != EINTR) return false;
  }
  return false;
}

}  // namespace caracal::pipeline
