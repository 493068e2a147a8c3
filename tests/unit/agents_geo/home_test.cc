#include "agents/geo/home.h"

#include <gtest/gtest.h>

namespace caracal::agents {
namespace {

TEST(HomeTest, IsTheMeanTruncatedTowardsZero) {
  Home home = {};
  for (const int latitude : {-1, -1, -3}) home.Add({latitude, 2 * latitude});
  EXPECT_EQ(home.Mean(), (Location{-1, -3}));
}

TEST(HomeTest, AveragesAcrossTheAntimeridian) {
  Home home = {};
  home.Add({0, -179'000'000});
  home.Add({0, 175'000'000});
  EXPECT_EQ(home.Mean(), (Location{0, 178'000'000}));
}

TEST(HomeTest, HalvesTheWeightOfTheFirstThousand) {
  Home home = {};
  for (int i = 0; i < 999; ++i) home.Add({1'000, 0});
  EXPECT_EQ(home.count, 999U);
  home.Add({1'000, 0});
  EXPECT_EQ(home.count, 500U);
  EXPECT_EQ(home.latitude_sum, 500'000);
  EXPECT_EQ(home.Mean(), (Location{1'000, 0}));
  for (int i = 0; i < 499; ++i) home.Add({3'000, 0});
  EXPECT_EQ(home.Mean(), (Location{(500 * 1'000 + 499 * 3'000) / 999, 0}));
}

}  // namespace
}  // namespace caracal::agents
