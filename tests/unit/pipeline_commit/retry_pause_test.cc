#include "pipeline/commit/retry_pause.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/time/clock.h"

namespace caracal::pipeline {
namespace {

absl::Duration TimeOf(RetryPause& pause) {
  const absl::Time start = absl::Now();
  EXPECT_TRUE(pause.Wait());
  return absl::Now() - start;
}

TEST(RetryPauseTest, WaitsLongerEachTimeUpToTheLongest) {
  RetryPause pause(absl::Milliseconds(2), absl::Milliseconds(6));
  EXPECT_GE(TimeOf(pause), absl::Milliseconds(2));
  EXPECT_GE(TimeOf(pause), absl::Milliseconds(4));
  EXPECT_GE(TimeOf(pause), absl::Milliseconds(6));
  EXPECT_EQ(pause.next(), absl::Milliseconds(6));
}

TEST(RetryPauseTest, StartsAnewAfterASuccess) {
  RetryPause pause(absl::Milliseconds(1));
  EXPECT_TRUE(pause.Wait());
  EXPECT_EQ(pause.next(), absl::Milliseconds(2));
  pause.Reset();
  EXPECT_EQ(pause.next(), absl::Milliseconds(1));
}

TEST(RetryPauseTest, CancelEndsAWaitAndAllLaterOnes) {
  RetryPause pause(absl::Hours(1));
  std::thread canceller([&pause] { pause.Cancel(); });
  EXPECT_FALSE(pause.Wait());
  EXPECT_FALSE(pause.Wait());
  canceller.join();
}

}  // namespace
}  // namespace caracal::pipeline
