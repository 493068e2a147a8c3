#include "pipeline/types/record_outcome.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace caracal::pipeline {
namespace {

TEST(RecordOutcomeTest, EveryReasonHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kSkipReasonCount; ++i) {
    names.insert(SkipReasonName(static_cast<SkipReason>(i)));
  }
  for (size_t i = 0; i < kRejectReasonCount; ++i) {
    names.insert(RejectReasonName(static_cast<RejectReason>(i)));
  }
  EXPECT_EQ(names.size(), kSkipReasonCount + kRejectReasonCount);
  EXPECT_EQ(names.count("unknown"), 0U);
}

}  // namespace
}  // namespace caracal::pipeline
