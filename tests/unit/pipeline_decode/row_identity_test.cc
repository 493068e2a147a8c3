#include "pipeline/decode/row_identity.h"

#include <gtest/gtest.h>

#include <set>

namespace caracal::pipeline {
namespace {

TEST(RowIdentityTest, IsAFunctionOfTableIdAndSeed) {
  RowIdentity first("topic", 42);
  RowIdentity second("another topic", 42);
  EXPECT_EQ(first.TagOfSourceRow("public", "transactions", "1"),
            second.TagOfSourceRow("public", "transactions", "1"));
  RowIdentity other_seed("topic", 43);
  EXPECT_NE(first.TagOfSourceRow("public", "transactions", "1"),
            other_seed.TagOfSourceRow("public", "transactions", "1"));
}

TEST(RowIdentityTest, DistinguishesTablesIdsAndSplits) {
  RowIdentity identity("topic", 42);
  const std::set<uint64_t> tags = {
      identity.TagOfSourceRow("public", "transactions", "1"),
      identity.TagOfSourceRow("public", "transactions", "2"),
      identity.TagOfSourceRow("public", "payments", "1"),
      identity.TagOfSourceRow("private", "transactions", "1"),
      identity.TagOfSourceRow("publict", "ransactions", "1"),
      identity.TagOfSourceRow("public", "transactions1", ""),
      identity.TagOfSourceRow("", "", "1"),
      identity.TagOfFlatRow("", "1"),
      identity.TagOfFlatRow("transactions", "1"),
      identity.TagOfFlatRow("transactions", "2"),
      RowIdentity("other", 42).TagOfFlatRow("transactions", "1"),
  };
  EXPECT_EQ(tags.size(), 11U);
}

TEST(RowIdentityTest, RemembersNothingThatMatters) {
  RowIdentity identity("topic", 42);
  const uint64_t tag = identity.TagOfSourceRow("public", "transactions", "1");
  const uint64_t flat = identity.TagOfFlatRow("t", "1");
  EXPECT_NE(identity.TagOfSourceRow("public", "payments", "1"), tag);
  EXPECT_NE(identity.TagOfFlatRow("u", "1"), flat);
  EXPECT_EQ(identity.TagOfSourceRow("public", "transactions", "1"), tag);
  EXPECT_EQ(identity.TagOfFlatRow("t", "1"), flat);
}

}  // namespace
}  // namespace caracal::pipeline
