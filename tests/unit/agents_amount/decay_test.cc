#include "agents/amount/decay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/support/random_history.h"

namespace caracal::agents {
namespace {

TEST(DecayTest, IsExactAtWholeHalfLives) {
  for (const int64_t half_life :
       {int64_t{1}, int64_t{3'600'000'000}, int64_t{315'360'000'000'000}}) {
    for (int k = 0; k < 30; ++k) {
      EXPECT_EQ(Decay(static_cast<uint64_t>(half_life) * static_cast<uint64_t>(k), half_life),
                std::ldexp(1.0, -k));
    }
  }
}

TEST(DecayTest, AgreesWithLibmWithinItsBound) {
  testing::Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const int64_t half_life = random.Between(1, int64_t{1} << random.Between(1, 48));
    const int64_t elapsed = random.Between(0, half_life * 20);
    const long double exact =
        exp2l(-static_cast<long double>(elapsed) / static_cast<long double>(half_life));
    const double got = Decay(static_cast<uint64_t>(elapsed), half_life);
    ASSERT_LE(fabsl(got / exact - 1), 1e-15L) << elapsed << " of " << half_life;
  }
}

TEST(DecayTest, NeverRises) {
  double previous = 1.0;
  for (uint64_t elapsed = 0; elapsed < 10'000; ++elapsed) {
    const double weight = Decay(elapsed, 777);
    EXPECT_LE(weight, previous) << elapsed;
    previous = weight;
  }
}

TEST(DecayTest, EndsAtZero) {
  EXPECT_GT(Decay(999, 1), 0.0);
  EXPECT_EQ(Decay(1'000, 1), 0.0);
  EXPECT_EQ(Decay(std::numeric_limits<uint64_t>::max(), 1), 0.0);
}

}  // namespace
}  // namespace caracal::agents
