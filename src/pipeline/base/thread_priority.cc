#include "pipeline/base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace caracal::pipeline {

void RunBehindOthers() {
  const auto thread = static_cast<id_t>(gettid());
  errno = 0;
  const int now = getpriority(PRIO_PROCESS, thread);
  if (errno != 0) return;
  static_cast<void>(setpriority(PRIO_PROCESS, thread, std::max(now, kBehindOthers)));
}

}  // namespace caracal::pipeline
