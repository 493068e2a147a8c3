#include "pipeline/tools/stop_signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

// Not a signal people send: tells the thread to end.
constexpr int kEndThread = SIGUSR2;

sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, kEndThread}) sigaddset(&set, signal);
  return set;
}

}  // namespace

StopSignals::StopSignals(std::function<void()> on_stop, std::function<void()> on_hangup)
    : on_stop_(std::move(on_stop)), on_hangup_(std::move(on_hangup)) {
  // A reader of stderr or of the admin listener may go away.
  CHECK(::signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  const sigset_t set = HandledSignals();
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  thread_ = std::thread([this] { Run(); });
}

StopSignals::~StopSignals() {
  pthread_kill(thread_.native_handle(), kEndThread);
  thread_.join();
}

void StopSignals::Disarm() {
  MutexLock lock(&mutex_);
  on_stop_ = [] {};
}

void StopSignals::Run() {
  const sigset_t set = HandledSignals();
  while (true) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0 || signal == kEndThread) return;
    if (signal == SIGHUP) {
      on_hangup_();
      continue;
    }
    if (received_.exchange(signal) != 0) _exit(128 + signal);
    MutexLock lock(&mutex_);
    on_stop_();
  }
}

}  // namespace caracal::pipeline
