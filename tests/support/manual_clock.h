#pragma once

#include <atomic>
#include <cstdint>

#include "pipeline/ports/clock.h"

namespace caracal::pipeline {

/// A clock that stands still until the test moves it. Any thread.
class ManualClock : public Clock {
 public:
  int64_t MonotonicMicros() const override { return micros_.load(); }
  int64_t WallMillis() const override { return 1'700'000'000'000 + micros_.load() / 1000; }
  void Advance(int64_t micros) { micros_.fetch_add(micros); }

 private:
  std::atomic<int64_t> micros_{1'000'000};
};

}  // namespace caracal::pipeline
