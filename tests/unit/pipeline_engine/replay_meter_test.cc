#include "pipeline/engine/replay_meter.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

TEST(ReplayMeterTest, AShortReplaySaysNothing) {
  ReplayMeter meter;
  meter.Add(1000, 100'000);
  meter.Add(1000, 0);
  EXPECT_EQ(meter.rate(), 0);
}

TEST(ReplayMeterTest, MeasuresRecordsPerSecond) {
  ReplayMeter meter;
  meter.Add(100'000, 400'000);
  meter.Add(200'000, 600'000);
  EXPECT_EQ(meter.rate(), 300'000);
}

TEST(ReplayMeterTest, ForgetsWhatIsLongPast) {
  ReplayMeter meter;
  for (int second = 0; second < 100; ++second) meter.Add(1'000'000, 1'000'000);
  for (int second = 0; second < 100; ++second) meter.Add(1'000, 1'000'000);
  EXPECT_LT(meter.rate(), 5'000);
}

}  // namespace
}  // namespace caracal::pipeline
