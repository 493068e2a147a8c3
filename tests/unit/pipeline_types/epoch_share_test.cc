#include "pipeline/types/epoch_share.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

TEST(StreamCountsTest, ConservesOnlyWhenEveryRecordHasOneOutcome) {
  StreamCounts counts;
  EXPECT_TRUE(counts.Conserved());
  counts.consumed = 6;
  counts.evaluated = 3;
  counts.skipped[static_cast<size_t>(SkipReason::kDuplicate)] = 2;
  counts.rejected[static_cast<size_t>(RejectReason::kMalformedJson)] = 1;
  EXPECT_TRUE(counts.Conserved());
  counts.replayed = 5;
  counts.warmed = 1;
  EXPECT_TRUE(counts.Conserved()) << "replayed and warmed are not outcomes";
  counts.rejected[0] += 1;
  EXPECT_FALSE(counts.Conserved());
}

TEST(StreamCountsTest, AddsEveryField) {
  StreamCounts a;
  a.consumed = 1;
  a.consumed_bytes = 2;
  a.evaluated = 3;
  a.warmed = 4;
  a.replayed = 5;
  a.skipped.fill(6);
  a.rejected.fill(7);
  StreamCounts sum = a;
  sum.Add(a);
  EXPECT_EQ(sum.consumed, 2U);
  EXPECT_EQ(sum.consumed_bytes, 4U);
  EXPECT_EQ(sum.evaluated, 6U);
  EXPECT_EQ(sum.warmed, 8U);
  EXPECT_EQ(sum.replayed, 10U);
  EXPECT_EQ(sum.skipped.back(), 12U);
  EXPECT_EQ(sum.rejected.back(), 14U);
}

}  // namespace
}  // namespace caracal::pipeline
