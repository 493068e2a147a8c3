#include "pipeline/tools/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

void OccupyStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() takes the lowest number that is free: this one.
    static_cast<void>(open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY));
  }
}

int FinishOutput(int exit_code, std::string reason) {
  if (std::fflush(stdout) != 0) {
    if (errno == EPIPE) return exit_code;
    reason = std::strerror(errno);
  }
  if (std::ferror(stdout) == 0) return exit_code;
  fmt::print(stderr, "caracal: writing standard output failed{}{}; not all of it is there\n",
             reason.empty() ? "" : ": ", reason);
  return kExitIo;
}

}  // namespace caracal::pipeline
