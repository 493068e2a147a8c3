#include "pipeline/conformance/isolated_check.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

/// Progress in memory that parent and child share.
class SharedProgress {
 public:
  SharedProgress()
      : memory_(mmap(nullptr, sizeof(CheckProgress), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, /*fd=*/-1, /*offset=*/0)) {
    CHECK(memory_ != MAP_FAILED);
    progress_ = new (memory_) CheckProgress;
  }
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;
  ~SharedProgress() { CHECK(munmap(memory_, sizeof(CheckProgress)) == 0); }

  CheckProgress& operator*() const { return *progress_; }

 private:
  void* const memory_;
  CheckProgress* progress_ = nullptr;
};

void WriteAll(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(EXIT_FAILURE);
    done += static_cast<size_t>(count);
  }
}

[[noreturn]] void RunChild(const std::function<std::string(CheckProgress&)>& check,
                           CheckProgress& progress, int result) {
  // A crash is for the parent to tell, not for a sanitizer.
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) signal(number, SIG_DFL);
  WriteAll(result, check(progress));
  _exit(EXIT_SUCCESS);
}

/// Reads until the other end is closed. False = the deadline has passed.
bool ReadAll(int fd, Clock::time_point deadline, std::string& text) {
  char buffer[4'096];
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd wait = {fd, POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    CHECK(ready >= 0);
    if (ready == 0) return false;
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    CHECK(count >= 0);
    if (count == 0) return true;
    text.append(buffer, static_cast<size_t>(count));
  }
}

/// " while it judged events 32 to 63"; empty when no batch was under way.
std::string PlaceOf(const CheckProgress& progress) {
  const uint64_t first = progress.first_event.load();
  const uint64_t events = progress.events.load();
  if (events == 0) return "";
  return fmt::format(" while it judged events {} to {}", first, first + events - 1);
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) CHECK(errno == EINTR);
  return status;
}

std::string DeathOf(int status, const CheckProgress& progress) {
  if (WIFSIGNALED(status)) {
    return fmt::format("crashed: {}{}", strsignal(WTERMSIG(status)), PlaceOf(progress));
  }
  if (WEXITSTATUS(status) == EXIT_SUCCESS) return "";
  return fmt::format("ended the process with exit code {}{}", WEXITSTATUS(status),
                     PlaceOf(progress));
}

}  // namespace

CheckOutcome RunIsolated(const std::function<std::string(CheckProgress&)>& check,
                         std::chrono::milliseconds timeout) {
  const SharedProgress progress;
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    close(ends[0]);
    RunChild(check, *progress, ends[1]);
  }
  close(ends[1]);
  CheckOutcome outcome;
  const bool in_time = ReadAll(ends[0], Clock::now() + timeout, outcome.text);
  close(ends[0]);
  if (!in_time) {
    CHECK(kill(child, SIGKILL) == 0);
    static_cast<void>(WaitFor(child));
    outcome.death = fmt::format("did not come back within {} s{}",
                                std::chrono::duration_cast<std::chrono::seconds>(timeout).count(),
                                PlaceOf(*progress));
  } else {
    outcome.death = DeathOf(WaitFor(child), *progress);
  }
  if (!outcome.death.empty()) outcome.text.clear();
  return outcome;
}

}  // namespace caracal::pipeline
