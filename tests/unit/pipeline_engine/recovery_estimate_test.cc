#include "pipeline/engine/recovery_estimate.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

constexpr RecoverySpeeds kAssumed = {250'000'000, 300'000};
constexpr RecoveryWork kWork = {500'000'000, 1'500'000};

TEST(RecoveryEstimateTest, IsTheTimeToReadStateBackAndToReplay) {
  EXPECT_DOUBLE_EQ(RecoverySeconds(kWork, {100'000'000, 1'000'000}, kAssumed), 5 + 1.5);
}

TEST(RecoveryEstimateTest, WhatWasNotMeasuredIsAssumed) {
  EXPECT_DOUBLE_EQ(RecoverySeconds(kWork, {}, kAssumed), 2 + 5);
  EXPECT_DOUBLE_EQ(RecoverySeconds(kWork, {100'000'000, 0}, kAssumed), 5 + 5);
  EXPECT_DOUBLE_EQ(RecoverySeconds(kWork, {0, 1'000'000}, kAssumed), 2 + 1.5);
}

TEST(RecoveryEstimateTest, NothingToDoTakesNoTime) {
  EXPECT_DOUBLE_EQ(RecoverySeconds({}, {}, kAssumed), 0);
}

}  // namespace
}  // namespace caracal::pipeline
