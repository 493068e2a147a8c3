#include "agents/state/row_line.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>

namespace caracal::agents {
namespace {

// Few different tags, and numbers around both ends of the 32 bits: lanes that match are frequent.
RowLine RandomLine(std::mt19937& random) {
  RowLine line = {};
  for (size_t lane = 0; lane < RowLine::kLanes; ++lane) {
    line.tags[lane] = static_cast<uint16_t>(random() % 3 * 0x7FFF);
    line.sequences[lane] = static_cast<uint32_t>(random() % 64) - 32;
  }
  // Neighbours of the lanes in memory, which are loaded with them.
  line.passed = random() % 2 == 0 ? 0 : UINT32_MAX;
  return line;
}

TEST(RowLineTest, LanesAreThoseOfALoopOverThem) {
  constexpr uint32_t kSeed = 11;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 20'000; ++i) {
    const RowLine line = RandomLine(random);
    const auto tag = static_cast<uint16_t>(random() % 3 * 0x7FFF);
    const auto end = static_cast<uint32_t>(random() % 64) - 32;
    const auto count = static_cast<uint32_t>(random() % 70);
    uint32_t with_tag = 0;
    uint32_t below = 0;
    for (size_t lane = 0; lane < RowLine::kLanes; ++lane) {
      with_tag |= static_cast<uint32_t>(line.tags[lane] == tag) << lane;
      const bool used = line.tags[lane] != 0;
      below |= static_cast<uint32_t>(used && end - 1 - line.sequences[lane] < count) << lane;
    }
    ASSERT_EQ(line.LanesWith(tag), with_tag);
    ASSERT_EQ(line.LanesWithSequencesBelow(end, count), below);
  }
}

TEST(RowLineTest, NewLineHasNoUsedLane) {
  const RowLine line = {};
  // Number 0 is among those below 1.
  EXPECT_EQ(line.LanesWithSequencesBelow(1, 1U << 30), 0U);
  EXPECT_EQ(line.LanesWith(0), (1U << RowLine::kLanes) - 1);
}

}  // namespace
}  // namespace caracal::agents
