#pragma once

#include <chrono>
#include <cstdint>

#include "pipeline/ports/clock.h"

namespace caracal::pipeline {

/// The machine's clocks. Any thread.
class SystemClock : public Clock {
 public:
  int64_t MonotonicMicros() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  int64_t WallMillis() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace caracal::pipeline
