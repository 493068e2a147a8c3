#include "pipeline/engine/reject_guard.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

TEST(RejectGuardTest, TellsAStormAtTheFirstRejectBeyondTheLimit) {
  RejectGuard guard;
  for (size_t i = 0; i < RejectGuard::kMaxRejects; ++i) EXPECT_FALSE(guard.Note(true));
  EXPECT_TRUE(guard.Note(true));
  guard.Reset();
  EXPECT_FALSE(guard.Note(true));
}

TEST(RejectGuardTest, ForgetsWhatLeavesTheWindow) {
  RejectGuard guard;
  for (size_t i = 0; i < RejectGuard::kMaxRejects; ++i) guard.Note(true);
  for (size_t i = RejectGuard::kMaxRejects; i < RejectGuard::kWindowRecords; ++i) {
    EXPECT_FALSE(guard.Note(false));
  }
  // The window is full: each reject now pushes an old one out.
  for (size_t i = 0; i < RejectGuard::kMaxRejects; ++i) EXPECT_FALSE(guard.Note(true));
  EXPECT_TRUE(guard.Note(true));
}

}  // namespace
}  // namespace caracal::pipeline
