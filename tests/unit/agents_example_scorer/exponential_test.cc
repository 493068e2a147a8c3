#include "agents/sdk/example/scorer/exponential.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace scorer {
namespace {

constexpr double kUnit = std::numeric_limits<double>::epsilon();

TEST(ExponentialTest, IsThatOfTheMathematicalLibrary) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> wide(-700, 700);
  std::uniform_real_distribution<double> near_zero(-1, 1);
  for (int i = 0; i < 20'000; ++i) {
    const double x = i % 2 == 0 ? wide(random) : near_zero(random);
    ASSERT_NEAR(Exponential(x) / std::exp(x), 1, 4 * kUnit) << x;
  }
  EXPECT_EQ(Exponential(0), 1);
}

TEST(ExponentialTest, StaysFiniteBeyondItsBound) {
  EXPECT_EQ(Exponential(1e300), Exponential(700));
  EXPECT_EQ(Exponential(-1e300), Exponential(-700));
  EXPECT_TRUE(std::isfinite(Exponential(700)));
  EXPECT_GT(Exponential(-700), 0);
}

TEST(ExponentialTest, LogarithmIsThatOfTheMathematicalLibrary) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-320, 308);
  std::uniform_real_distribution<double> near_one(0.5, 2);
  for (int i = 0; i < 20'000; ++i) {
    const double x = i % 2 == 0 ? std::pow(10, exponent(random)) : near_one(random);
    if (x == 0) continue;
    const double expected = std::log(x);
    ASSERT_NEAR(Logarithm(x), expected, 8 * kUnit * std::abs(expected)) << x;
  }
  EXPECT_EQ(Logarithm(1), 0);
}

TEST(ExponentialTest, LogisticLiesBetweenZeroAndOne) {
  EXPECT_EQ(Logistic(0), 0.5);
  EXPECT_GT(Logistic(-1e9), 0);
  EXPECT_EQ(Logistic(1e9), 1);
  EXPECT_NEAR(Logistic(2), 1 / (1 + std::exp(-2.0)), kUnit);
}

}  // namespace
}  // namespace scorer
