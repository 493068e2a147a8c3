#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "pipeline/generate/log_normal_table.h"
#include "pipeline/generate/portable_math.h"
#include "pipeline/generate/random.h"
#include "pipeline/generate/weighted_sampler.h"
#include "pipeline/generate/zipf_sampler.h"
#include "tests/unit/pipeline_generate/test_seed.h"

namespace caracal::pipeline {
namespace {

constexpr int kDraws = 400'000;

TEST(PortableMathTest, AgreesWithLibm) {
  for (double x = 1e-6; x < 1e9; x *= 1.37) {
    EXPECT_NEAR(PortableLog2(x), std::log2(x), 1e-13 * std::max(1.0, std::fabs(std::log2(x))));
    EXPECT_NEAR(PortablePow(x, -0.8) / std::pow(x, -0.8), 1, 1e-12);
  }
  for (double x = -40; x < 40; x += 0.173) {
    EXPECT_NEAR(PortableExp2(x) / std::exp2(x), 1, 1e-13);
  }
}

TEST(PortableMathTest, InvertsTheNormalDistribution) {
  for (double p = 0.0001; p < 1; p += 0.0007) {
    const double z = InverseNormal(p);
    EXPECT_NEAR(std::erfc(-z / std::sqrt(2)) / 2, p, 1e-8);
  }
}

TEST(RandomTest, DrawsUniformly) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(SeedTrace(seed));
  Random random(seed);
  std::vector<int> counts(10);
  for (int i = 0; i < kDraws; ++i) {
    ++counts[static_cast<size_t>(random.Between(5, 14) - 5)];
  }
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10, 6 * std::sqrt(kDraws / 10));
}

TEST(RandomTest, TurnsSharesIntoChances) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(SeedTrace(seed));
  Random random(seed);
  int hits = 0;
  for (int i = 0; i < kDraws; ++i) hits += random.Chance(ShareThreshold(0.01)) ? 1 : 0;
  EXPECT_NEAR(hits, kDraws / 100, 6 * std::sqrt(kDraws / 100));
  EXPECT_FALSE(random.Chance(ShareThreshold(0)));
  EXPECT_EQ(ShareThreshold(1), UINT64_MAX);
}

TEST(WeightedSamplerTest, FollowsTheWeights) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(SeedTrace(seed));
  Random random(seed);
  const std::vector<double> weights = {1, 0, 5, 0.5, 3.5};
  const WeightedSampler sampler(weights);
  std::vector<int> counts(weights.size());
  for (int i = 0; i < kDraws; ++i) ++counts[sampler.Sample(random)];
  for (size_t i = 0; i < weights.size(); ++i) {
    const double expected = kDraws * weights[i] / 10;
    EXPECT_NEAR(counts[i], expected, 6 * std::sqrt(expected)) << i;
  }
}

class ZipfSamplerTest : public testing::TestWithParam<double> {};

TEST_P(ZipfSamplerTest, FollowsThePowerLaw) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(SeedTrace(seed));
  const double exponent = GetParam();
  constexpr uint32_t kSize = 200'000;
  const ZipfSampler sampler(kSize, exponent);
  Random random(seed);
  std::vector<int> counts(kSize);
  for (int i = 0; i < kDraws; ++i) ++counts[sampler.Sample(random)];

  double total = 0;
  for (uint32_t rank = 1; rank <= kSize; ++rank) total += std::pow(rank, -exponent);
  // Ranges of ranks from the head to the tail, exact and grouped ones, in which enough draws fall.
  for (uint32_t first = 0, width = 1; first < kSize; first += width, width = first) {
    const uint32_t last = std::min(first + width, kSize);
    double expected = 0;
    int drawn = 0;
    for (uint32_t rank = first; rank < last; ++rank) {
      expected += kDraws * std::pow(rank + 1.0, -exponent) / total;
      drawn += counts[rank];
    }
    EXPECT_NEAR(drawn, expected, 6 * std::sqrt(expected) + 1) << first << ".." << last;
  }
}

INSTANTIATE_TEST_SUITE_P(Exponents, ZipfSamplerTest, testing::Values(0.0, 0.8, 1.0, 1.1, 2.0));

TEST(ZipfSamplerTest, HandlesOneRank) {
  Random random(1);
  EXPECT_EQ(ZipfSampler(1, 0.8).Sample(random), 0u);
}

TEST(LogNormalTableTest, HasTheMomentsOfItsLogarithm) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(SeedTrace(seed));
  constexpr int64_t kMedian = 1'000'000;
  const LogNormalTable table(0.45, 3);
  Random random(seed);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double logarithm = std::log(static_cast<double>(table.Scale(kMedian, random.Next())) /
                                      static_cast<double>(kMedian));
    sum += logarithm;
    squares += logarithm * logarithm;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.005);
  // Cut at ln 3 = 2.44 sigma, the variance is 0.8996 of the whole distribution's.
  EXPECT_NEAR(std::sqrt(squares / kDraws), 0.45 * std::sqrt(0.8996), 0.005);
}

TEST(LogNormalTableTest, NeverLeavesItsBounds) {
  const LogNormalTable table(0.9, 20);
  EXPECT_EQ(table.Scale(4500, 0), 225);
  EXPECT_EQ(table.Scale(4500, UINT64_MAX), 90000);
  Random random(1);
  for (int i = 0; i < kDraws; ++i) {
    const int64_t value = table.Scale(4500, random.Next());
    ASSERT_GE(value, 225);
    ASSERT_LE(value, 90000);
  }
}

}  // namespace
}  // namespace caracal::pipeline
