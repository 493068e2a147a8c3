#include "agents/geo/sphere.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "tests/support/random_history.h"

namespace caracal::agents {
namespace {

using testing::Random;

constexpr Location kParis = {48'856'600, 2'352'200};
constexpr Location kNewYork = {40'712'800, -74'006'000};

// The haversine formula with libm in extended precision. Angles are subtracted as integers: as
// radians, those of neighbours would lose the digits that matter.
long double ReferenceKm(const Location& a, const Location& b) {
  const long double radians = acosl(-1.0L) / 180e6L;
  const int64_t latitude_gap = int64_t{a.latitude_udeg} - int64_t{b.latitude_udeg};
  const int64_t longitude_gap = int64_t{a.longitude_udeg} - int64_t{b.longitude_udeg};
  const long double s = sinl(static_cast<long double>(latitude_gap) * radians / 2);
  const long double t = sinl(static_cast<long double>(longitude_gap) * radians / 2);
  const long double h =
      s * s + cosl(a.latitude_udeg * radians) * cosl(b.latitude_udeg * radians) * t * t;
  return 2 * 6371.0088L * asinl(sqrtl(h < 1 ? h : 1.0L));
}

Location RandomLocation(Random& random) {
  return {static_cast<int32_t>(random.Between(-90'000'000, 90'000'000)),
          static_cast<int32_t>(random.Between(-180'000'000, 180'000'000))};
}

// Within `udeg` of `near` in both coordinates.
Location Near(Random& random, const Location& near, int64_t udeg) {
  const int64_t latitude = near.latitude_udeg + random.Between(-udeg, udeg);
  return {
      static_cast<int32_t>(std::min<int64_t>(90'000'000, std::max<int64_t>(-90'000'000, latitude))),
      static_cast<int32_t>(WrapLongitude(near.longitude_udeg + random.Between(-udeg, udeg)))};
}

// 1e-12 of the distance; up to 1 m near the antipode.
void ExpectWithinBound(const Location& a, const Location& b) {
  const long double exact = ReferenceKm(a, b);
  const long double bound = exact > 19'000 ? 1e-3L : 1e-12L * exact;
  ASSERT_LE(fabsl(DistanceKm(a, b) - exact), bound)
      << a.latitude_udeg << "," << a.longitude_udeg << " to " << b.latitude_udeg << ","
      << b.longitude_udeg << ": " << static_cast<double>(exact) << " km";
}

TEST(DistanceKmTest, KnowsWellKnownDistances) {
  EXPECT_NEAR(DistanceKm(kParis, kNewYork), 5837.2, 0.2);
  EXPECT_NEAR(DistanceKm({0, 0}, {0, 90'000'000}), 10'007.557, 0.001);
  EXPECT_NEAR(DistanceKm({90'000'000, 0}, {-90'000'000, 123}), 20'015.115, 0.001);
}

TEST(DistanceKmTest, IsZeroOnlyForTheSamePlace) {
  EXPECT_EQ(DistanceKm(kParis, kParis), 0.0);
  EXPECT_EQ(DistanceKm({10, 180'000'000}, {10, -180'000'000}), 0.0);
  EXPECT_GT(DistanceKm(kParis, {kParis.latitude_udeg + 1, kParis.longitude_udeg}), 0.0001);
}

TEST(DistanceKmTest, IsSymmetricAndCrossesTheAntimeridian) {
  EXPECT_EQ(DistanceKm(kParis, kNewYork), DistanceKm(kNewYork, kParis));
  EXPECT_NEAR(DistanceKm({0, 179'900'000}, {0, -179'900'000}), 22.239, 0.001);
}

TEST(DistanceKmTest, AgreesWithLibmAnywhere) {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    ExpectWithinBound(RandomLocation(random), RandomLocation(random));
  }
}

TEST(DistanceKmTest, AgreesWithLibmNearbyAndAtTheAntipodes) {
  Random random(2);
  for (int i = 0; i < 200'000; ++i) {
    const Location here = RandomLocation(random);
    const Location antipode = {
        -here.latitude_udeg,
        static_cast<int32_t>(WrapLongitude(here.longitude_udeg + 180'000'000))};
    const int64_t udeg = int64_t{1} << random.Between(0, 24);
    ExpectWithinBound(here, Near(random, here, udeg));
    ExpectWithinBound(here, Near(random, antipode, udeg));
  }
}

TEST(DistanceBoundKmTest, IsNeverBelowTheDistanceAndCloseToIt) {
  Random random(testing::PropertySeed());
  SCOPED_TRACE(testing::SeedTrace(testing::PropertySeed()));
  for (int i = 0; i < 20'000; ++i) {
    const Location a = RandomLocation(random);
    const Location b = i % 2 == 0 ? RandomLocation(random) : Near(random, a, 2'000'000);
    ASSERT_GE(DistanceBoundKm(a, b), DistanceKm(a, b));
  }
  EXPECT_GE(DistanceBoundKm({0, -180'000'000}, {0, 0}), DistanceKm({0, -180'000'000}, {0, 0}));
  // Along the equator, across the antimeridian and along a meridian it is the distance.
  for (const auto& [a, b] : {std::pair<Location, Location>{{0, 1'000'000}, {0, 3'000'000}},
                             {{0, -179'000'000}, {0, 179'000'000}},
                             {{50'000'000, 7'000'000}, {52'000'000, 7'000'000}}}) {
    EXPECT_NEAR(DistanceBoundKm(a, b), DistanceKm(a, b), 0.0011);
  }
}

TEST(WrapLongitudeTest, StaysWithinOneTurn) {
  EXPECT_EQ(WrapLongitude(180'000'000), -180'000'000);
  EXPECT_EQ(WrapLongitude(-180'000'000), -180'000'000);
  EXPECT_EQ(WrapLongitude(-180'000'001), 179'999'999);
  EXPECT_EQ(WrapLongitude(360'000'000), 0);
  EXPECT_EQ(WrapLongitude(179'999'999), 179'999'999);
}

}  // namespace
}  // namespace caracal::agents
