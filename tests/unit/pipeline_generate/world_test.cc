// The places, journeys, amounts and arrival times that the cards profile is made of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "pipeline/generate/account_directory.h"
#include "pipeline/generate/arrival_clock.h"
#include "pipeline/generate/cities.h"
#include "pipeline/generate/itinerary.h"
#include "pipeline/generate/merchant_directory.h"
#include "tests/unit/pipeline_generate/great_circle.h"
#include "tests/unit/pipeline_generate/test_seed.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kDayUs = 24 * kHourUs;
constexpr int64_t kStartUs = 1'767'571'200'000'000;  // 2026-01-05T00:00:00Z

TEST(CitiesTest, AreFarApartAndHaveFarOthers) {
  ASSERT_EQ(Cities().size(), kCityCount);
  for (size_t a = 0; a < kCityCount; ++a) {
    int far = 0;
    for (size_t b = 0; b < kCityCount; ++b) {
      const double km = GreatCircleKm(Cities()[a].centre, Cities()[b].centre);
      EXPECT_NEAR(CityDistanceKm(a, b), std::ceil(km), 1);
      if (a != b) {
        EXPECT_GT(km, 150) << Cities()[a].name << " " << Cities()[b].name;
      }
      far += km >= kAbroadKm ? 1 : 0;
    }
    EXPECT_GE(far, 20) << Cities()[a].name;
  }
}

// Rounding whole kilometres and micro-degrees hides the last bit of libm only if no value sits on
// the edge.
TEST(CitiesTest, DoNotDependOnTheLastBitOfLibm) {
  for (size_t a = 0; a < kCityCount; ++a) {
    for (size_t b = 0; b < a; ++b) {
      const double km = GreatCircleKm(Cities()[a].centre, Cities()[b].centre);
      EXPECT_GT(std::fabs(km - std::round(km)), 2e-4);
    }
    const double latitude = Cities()[a].centre.latitude_udeg * 1e-6 * M_PI / 180;
    const double per_km = 8993.2 / std::cos(latitude);
    EXPECT_GT(std::fabs(per_km - std::floor(per_km) - 0.5), 1e-6) << Cities()[a].name;
  }
}

TEST(MerchantDirectoryTest, ClustersShopsAroundCities) {
  const MerchantDirectory merchants(2000, 7);
  std::set<std::pair<int32_t, int32_t>> places;
  for (uint32_t merchant = 1; merchant <= merchants.size(); ++merchant) {
    const City& city = Cities()[(merchant - 1) % kCityCount];
    EXPECT_EQ(merchants.country(merchant), city.country);
    EXPECT_LT(GreatCircleKm(merchants.location(merchant), city.centre), kPlaceRadiusKm);
    places.emplace(merchants.location(merchant).latitude_udeg,
                   merchants.location(merchant).longitude_udeg);
  }
  EXPECT_GT(places.size(), 1990u);
}

TEST(MerchantDirectoryTest, GivesTheWholeAZipfDistribution) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(SeedTrace(seed));
  constexpr uint32_t kMerchants = 1000;
  constexpr int kDraws = 300'000;
  const MerchantDirectory merchants(kMerchants, seed);
  Random random(seed);
  std::vector<int> counts(kMerchants + 1);
  for (int i = 0; i < kDraws; ++i) {
    ++counts[merchants.SampleMerchant(merchants.PickCity(random.Next()), random)];
  }
  double total = 0;
  for (uint32_t rank = 1; rank <= kMerchants; ++rank) total += 1.0 / rank;
  for (const uint32_t merchant : {1u, 2u, 3u, 10u, 41u, 100u, 500u}) {
    const double expected = kDraws / (merchant * total);
    EXPECT_NEAR(counts[merchant], expected, 6 * std::sqrt(expected)) << merchant;
  }
}

TEST(ItineraryTest, NeverMovesFasterThanAnAirliner) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(SeedTrace(seed));
  const MerchantDirectory merchants(kCityCount, seed);
  const AccountDirectory accounts(400, seed, merchants);
  int trips = 0;
  for (uint32_t index = 0; index < accounts.size(); ++index) {
    const AccountTraits traits = accounts.Traits(index);
    int64_t left_us = 0;
    size_t city = traits.home;
    int64_t now_us = kStartUs;
    while (now_us < kStartUs + 60 * kDayUs) {
      const Whereabouts place = accounts.WhereIs(traits, now_us);
      ASSERT_GT(place.until_us, now_us);
      if (!place.in_transit) {
        if (place.city != city && left_us != 0) {
          ++trips;
          const double hours = static_cast<double>(now_us - left_us) / kHourUs;
          const double km =
              GreatCircleKm(Cities()[city].centre, Cities()[place.city].centre) + 2 * 12;
          ASSERT_LT(km / hours, 700);
        }
        city = place.city;
        left_us = place.until_us;
      }
      now_us = place.until_us;
    }
  }
  // 400 accounts, six periods, 30 % of them with a journey there and back.
  EXPECT_NEAR(trips, 400 * 6 * 0.3 * 2, 400);
}

TEST(ItineraryTest, KeepsMostAccountsAtHome) {
  const MerchantDirectory merchants(kCityCount, 1);
  const AccountDirectory accounts(20'000, 1, merchants);
  int at_home = 0;
  int in_transit = 0;
  for (uint32_t index = 0; index < accounts.size(); ++index) {
    const AccountTraits traits = accounts.Traits(index);
    const Whereabouts place = accounts.WhereIs(traits, kStartUs);
    at_home += !place.in_transit && place.city == traits.home ? 1 : 0;
    in_transit += place.in_transit ? 1 : 0;
  }
  EXPECT_GT(at_home, 17'000);
  EXPECT_LT(in_transit, 1'000);
}

TEST(AccountDirectoryTest, NumbersAccountsWithoutGaps) {
  const MerchantDirectory merchants(kCityCount, 1);
  for (const uint32_t size : {1u, 2u, 9000u, 65'536u}) {
    const AccountDirectory accounts(size, 99, merchants);
    std::vector<bool> seen(size + 1);
    for (uint32_t index = 0; index < size; ++index) {
      const int64_t id = accounts.Id(index);
      ASSERT_GE(id, 1);
      ASSERT_LE(id, size);
      ASSERT_FALSE(seen[static_cast<size_t>(id)]);
      seen[static_cast<size_t>(id)] = true;
    }
  }
}

TEST(AccountDirectoryTest, KeepsNormalAmountsWithinAFactorOfTen) {
  const MerchantDirectory merchants(kCityCount, 1);
  const AccountDirectory accounts(5'000, 1, merchants);
  Random random(1);
  int above_floor = 0;
  for (uint32_t index = 0; index < accounts.size(); ++index) {
    const AccountTraits traits = accounts.Traits(index);
    const int64_t lowest = accounts.NormalAmount(traits, 0);
    const int64_t highest = accounts.NormalAmount(traits, UINT64_MAX);
    EXPECT_LT(highest, 10 * lowest);
    above_floor += highest > 2000'00 ? 1 : 0;
    for (int i = 0; i < 20; ++i) {
      const int64_t big = accounts.BigTicketAmount(traits, random);
      EXPECT_GT(big, 10 * highest);
      EXPECT_GT(big, 2000'00);
      EXPECT_LT(big, 1'000'000'00);
    }
  }
  // Some accounts normally pay amounts that only their profile excuses.
  EXPECT_GT(above_floor, 0);
}

TEST(ArrivalClockTest, KeepsAnAwkwardRateWithoutDrift) {
  ArrivalClock clock(3, kStartUs, false);
  for (int i = 0; i < 300'000; ++i) clock.Advance();
  EXPECT_NEAR(static_cast<double>(clock.next_us() - kStartUs), 100'000e6, 100);
}

TEST(ArrivalClockTest, HandlesMoreThanOneArrivalPerMicrosecond) {
  ArrivalClock clock(4e6, kStartUs, false);
  for (int i = 0; i < 400'000; ++i) clock.Advance();
  EXPECT_EQ(clock.next_us() - kStartUs, 100'000);
}

TEST(ArrivalClockTest, FollowsTheHourAndKeepsTheDailyMean) {
  ArrivalClock clock(10, kStartUs, true);
  std::vector<int> by_hour(24);
  int total = 0;
  while (clock.next_us() < kStartUs + kDayUs) {
    ++by_hour[static_cast<size_t>((clock.next_us() - kStartUs) / kHourUs)];
    ++total;
    clock.Advance();
  }
  EXPECT_NEAR(total, 864'000, 864'000 * 0.002);
  EXPECT_GT(by_hour[18], 10 * by_hour[3]);
  EXPECT_LE(*std::max_element(by_hour.begin(), by_hour.end()),
            36'000 * ArrivalClock::kPeak * 1.001);
}

TEST(ArrivalClockTest, SkipsForwardOnly) {
  ArrivalClock clock(10, kStartUs, false);
  clock.SkipTo(kStartUs + 5);
  clock.SkipTo(kStartUs);
  EXPECT_EQ(clock.next_us(), kStartUs + 5);
}

}  // namespace
}  // namespace caracal::pipeline
