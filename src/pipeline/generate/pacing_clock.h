#pragma once

#include <cstdint>

#include "pipeline/ports/clock.h"

namespace caracal::pipeline {

/// A clock that one can also wait on. Any thread.
class PacingClock : public Clock {
 public:
  /// Returns at or soon after `monotonic_us`, or earlier when a signal arrives.
  virtual void SleepUntil(int64_t monotonic_us) = 0;
};

/// The system's clocks.
class SystemPacingClock : public PacingClock {
 public:
  int64_t MonotonicMicros() const override;
  int64_t WallMillis() const override;
  void SleepUntil(int64_t monotonic_us) override;
};

}  // namespace caracal::pipeline
