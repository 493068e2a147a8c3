#include "tests/integration/pause_watch.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace caracal::pipeline {

PauseWatch::PauseWatch() {
  thread_ = std::thread([this] { Run(); });
}

PauseWatch::~PauseWatch() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

absl::Duration PauseWatch::longest() const {
  MutexLock lock(&mutex_);
  return longest_;
}

void PauseWatch::Run() {
  constexpr absl::Duration kInterval = absl::Milliseconds(50);
  MutexLock lock(&mutex_);
  absl::Time last = absl::Now();
  while (!mutex_.AwaitFor(kInterval,
                          [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; })) {
    const absl::Time now = absl::Now();
    longest_ = std::max(longest_, now - last - kInterval);
    last = now;
  }
}

}  // namespace caracal::pipeline
