#include "pipeline/config/suggestion.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

TEST(EditDistanceTest, CountsInsertionsDeletionsSubstitutionsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("abc", "abc"), 0U);
  EXPECT_EQ(EditDistance("abc", "abxc"), 1U);
  EXPECT_EQ(EditDistance("abc", "ac"), 1U);
  EXPECT_EQ(EditDistance("abc", "axc"), 1U);
  EXPECT_EQ(EditDistance("abc", "acb"), 1U);
  EXPECT_EQ(EditDistance("ca", "abc"), 3U);
  EXPECT_EQ(EditDistance("", "abcd"), 4U);
}

TEST(DidYouMeanTest, NamesTheNearestWithinTwoEdits) {
  EXPECT_EQ(DidYouMean("boostrap_servers", {"group_id", "bootstrap_servers"}),
            "did you mean 'bootstrap_servers'?");
  EXPECT_EQ(DidYouMean("topci", {"topics", "topic"}), "did you mean 'topic'?");
}

TEST(DidYouMeanTest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(DidYouMean("completely_else", {"topic", "state"}), "");
  EXPECT_EQ(DidYouMean("ab", {"xy"}), "");
  EXPECT_EQ(DidYouMean("x", {}), "");
}

}  // namespace
}  // namespace caracal::pipeline
