#include "pipeline/base/rfc3339.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace caracal::pipeline {
namespace {

std::string Micros(int64_t unix_micros) {
  std::string out;
  AppendRfc3339(unix_micros, FractionDigits::kMicros, out);
  return out;
}

std::string Millis(int64_t unix_micros) {
  std::string out;
  AppendRfc3339(unix_micros, FractionDigits::kMillis, out);
  return out;
}

TEST(Rfc3339Test, WritesAFixedNumberOfDigits) {
  EXPECT_EQ(Micros(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Micros(1'772'622'127'512'000), "2026-03-04T11:02:07.512000Z");
  EXPECT_EQ(Millis(1'772'622'127'512'999), "2026-03-04T11:02:07.512Z");
}

TEST(Rfc3339Test, CountsBackwardsBefore1970) {
  EXPECT_EQ(Micros(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Micros(-86'400'000'000), "1969-12-31T00:00:00.000000Z");
  EXPECT_EQ(Millis(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339Test, KnowsLeapYears) {
  EXPECT_EQ(Micros(951'782'400'000'000), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(Micros(1'709'251'199'999'999), "2024-02-29T23:59:59.999999Z");
  EXPECT_EQ(Micros(4'107'542'400'000'000), "2100-03-01T00:00:00.000000Z");
}

TEST(Rfc3339Test, StaysInsideTheYearsOfFourDigits) {
  EXPECT_EQ(Micros(std::numeric_limits<int64_t>::max()), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(Micros(253'402'300'800'000'000), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(Micros(std::numeric_limits<int64_t>::min()), "0001-01-01T00:00:00.000000Z");
  EXPECT_EQ(Micros(-62'135'596'800'000'001), "0001-01-01T00:00:00.000000Z");
}

TEST(Rfc3339Test, AgreesWithTheStandardCalendarThroughoutItsRange) {
  constexpr int64_t kFirstDay = -719'162;  // 0001-01-01
  constexpr int64_t kLastDay = 2'932'896;  // 9999-12-31
  std::minstd_rand random(20'260'304);
  for (int64_t day = kFirstDay; day <= kLastDay; day += 1 + static_cast<int64_t>(random() % 60)) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    const std::string expected =
        fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    ASSERT_EQ(Micros(day * 86'400'000'000).substr(0, 10), expected) << "day " << day;
  }
}

}  // namespace
}  // namespace caracal::pipeline
