#include "pipeline/generate/pacing_clock.h"

#include <chrono>
#include <ctime>

namespace caracal::pipeline {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

int64_t SystemPacingClock::MonotonicMicros() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int64_t SystemPacingClock::WallMillis() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void SystemPacingClock::SleepUntil(int64_t monotonic_us) {
  timespec until{};
  until.tv_sec = monotonic_us / kMicrosPerSecond;
  until.tv_nsec = (monotonic_us % kMicrosPerSecond) * 1000;
  // steady_clock is CLOCK_MONOTONIC. Not std::this_thread::sleep_until: that one goes back to sleep
  // after a signal, and an interrupt should end the load at once.
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace caracal::pipeline
