#pragma once

#include <cstdint>

namespace caracal::pipeline {

/// Time for waiting and measuring; it never reaches a verdict or the state. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Microseconds of a clock that never steps back.
  virtual int64_t MonotonicMicros() const = 0;
  /// Milliseconds since 1970, for latency metrics.
  virtual int64_t WallMillis() const = 0;
};

}  // namespace caracal::pipeline
