#include "agents/ruleset/event_mask.h"

#include <gtest/gtest.h>

#include <vector>

namespace caracal::agents {
namespace {

TEST(EventMaskTest, RangesIncludeTheirBeginAndNotTheirEnd) {
  EXPECT_EQ(EventRange(0, 0), 0U);
  EXPECT_EQ(EventRange(0, 1), 1U);
  EXPECT_EQ(EventRange(2, 4), 0b1100U);
  EXPECT_EQ(EventRange(0, 64), ~EventMask{0});
  EXPECT_EQ(EventRange(63, 64), EventMask{1} << 63);
  EXPECT_EQ(EventRange(64, 64), 0U);
}

TEST(EventMaskTest, VisitsEventsInOrder) {
  std::vector<size_t> visited;
  ForEachEvent(EventBit(63) | EventBit(0) | EventBit(7),
               [&visited](size_t event) { visited.push_back(event); });
  EXPECT_EQ(visited, (std::vector<size_t>{0, 7, 63}));
}

}  // namespace
}  // namespace caracal::agents
