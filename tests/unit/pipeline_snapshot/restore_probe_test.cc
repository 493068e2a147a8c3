#include <gtest/gtest.h>

#include "pipeline/snapshot/state_restorer.h"

namespace caracal::pipeline {
namespace {

constexpr uint64_t kEnough = RestoreProbe::kTellingBytes;

TEST(RestoreProbeTest, TellsTheSpeedOfTheLastRestore) {
  RestoreProbe probe;
  EXPECT_EQ(probe.bytes_per_second.value(), 0);
  probe.NoteSpeed(kEnough, absl::Seconds(2));
  EXPECT_EQ(probe.bytes_per_second.value(), static_cast<int64_t>(kEnough / 2));
  probe.NoteSpeed(8 * kEnough, absl::Seconds(2));
  EXPECT_EQ(probe.bytes_per_second.value(), static_cast<int64_t>(4 * kEnough));
}

TEST(RestoreProbeTest, ASmallRestoreSaysNothing) {
  RestoreProbe probe;
  probe.NoteSpeed(kEnough, absl::Seconds(1));
  // A second of round trips for next to nothing: no reason for an alarm.
  probe.NoteSpeed(kEnough - 1, absl::Seconds(1000));
  probe.NoteSpeed(0, absl::Seconds(1));
  probe.NoteSpeed(kEnough, absl::ZeroDuration());
  EXPECT_EQ(probe.bytes_per_second.value(), static_cast<int64_t>(kEnough));
}

}  // namespace
}  // namespace caracal::pipeline
