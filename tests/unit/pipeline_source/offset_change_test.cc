#include "pipeline/source/offset_change.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

GroupPosition At(int64_t committed, const OffsetMetadata& metadata) {
  return {committed, FormatOffsetMetadata(metadata), 10, 1000};
}

OffsetMetadata TwoActivations() {
  OffsetMetadata metadata = MetadataOf({{20, "a"}, {300, "b"}}, 25);
  metadata.last = {499, 7, 8};
  return metadata;
}

TEST(OffsetChangeTest, ForwardKeepsEverything) {
  const OffsetChange change = ChangeOffset(At(500, TwoActivations()), 700, false);
  EXPECT_EQ(change.offset, 700);
  EXPECT_EQ(change.metadata, TwoActivations());
  EXPECT_FALSE(change.resets_state);
}

TEST(OffsetChangeTest, ARewindForgetsWhatLiesBeyond) {
  const OffsetChange change = ChangeOffset(At(500, TwoActivations()), 200, false);
  EXPECT_EQ(change.metadata, (OffsetMetadata{20, 25, "a"}));
  EXPECT_FALSE(change.resets_state);
}

TEST(OffsetChangeTest, BelowTheFirstActivationStateBeginsThere) {
  const OffsetChange change = ChangeOffset(At(500, TwoActivations()), 10, false);
  EXPECT_EQ(change.metadata, (OffsetMetadata{10, 10, "b"}));
  EXPECT_TRUE(change.resets_state);
}

TEST(OffsetChangeTest, AResetBeginsWithNothing) {
  const OffsetChange change = ChangeOffset(At(500, TwoActivations()), 500, true);
  EXPECT_EQ(change.metadata, (OffsetMetadata{500, 500, "b"}));
  EXPECT_TRUE(change.resets_state);
}

TEST(OffsetChangeTest, WithoutMetadataOfOursStateBeginsThere) {
  for (const GroupPosition& position :
       {GroupPosition{-1, "", 10, 1000}, GroupPosition{500, "by hand", 10, 1000}}) {
    const OffsetChange change = ChangeOffset(position, 400, false);
    EXPECT_EQ(change.metadata, (OffsetMetadata{400, 400, ""}));
    EXPECT_TRUE(change.resets_state);
  }
}

TEST(OffsetChangeTest, AMarkThatRetentionHasTakenIsDropped) {
  OffsetMetadata metadata = {5, 5, "a"};
  metadata.last = {9, 7, 8};
  EXPECT_EQ(ChangeOffset(At(12, metadata), 15, false).metadata.last.offset, -1);
}

}  // namespace
}  // namespace caracal::pipeline
