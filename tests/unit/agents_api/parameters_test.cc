#include "agents/api/parameters.h"

#include <gtest/gtest.h>

namespace caracal::agents {
namespace {

TEST(ParseDecimalTest, ReadsSignsPointsAndZeros) {
  EXPECT_EQ(*ParseDecimal("-12.50"), (Decimal{-1250, 2}));
  EXPECT_EQ(*ParseDecimal("3"), (Decimal{3, 0}));
  EXPECT_EQ(*ParseDecimal("+1.0"), (Decimal{10, 1}));
  EXPECT_EQ(*ParseDecimal("0.00"), (Decimal{0, 2}));
  EXPECT_EQ(*ParseDecimal("999999999999999999"), (Decimal{999'999'999'999'999'999, 0}));
}

TEST(ParseDecimalTest, RefusesWhatIsNoPlainDecimal) {
  for (const char* text :
       {"", "-", ".", "1e3", "1.2.3", " 1", "1,5", "NaN", "1234567890123456789"}) {
    EXPECT_FALSE(ParseDecimal(text).ok()) << text;
  }
}

TEST(FormatDecimalTest, KeepsTheScale) {
  EXPECT_EQ(FormatDecimal({1250, 2}), "12.50");
  EXPECT_EQ(FormatDecimal({-5, 2}), "-0.05");
  EXPECT_EQ(FormatDecimal({0, 2}), "0.00");
  EXPECT_EQ(FormatDecimal({7, 0}), "7");
}

TEST(ToMinorUnitsTest, ConvertsOnlyExactly) {
  EXPECT_EQ(*ToMinorUnits({400000, 2}, 2), 400000);
  EXPECT_EQ(*ToMinorUnits({4, 0}, 2), 400);
  EXPECT_EQ(*ToMinorUnits({4000, 3}, 2), 400);
  EXPECT_FALSE(ToMinorUnits({4001, 3}, 2).ok());
  EXPECT_TRUE(ToMinorUnits({1'000'000'000'000'000, 2}, 2).ok());
  EXPECT_FALSE(ToMinorUnits({1'000'000'000'000'001, 2}, 2).ok());
  EXPECT_FALSE(ToMinorUnits({999'999'999'999'999'999, 0}, 18).ok());
}

TEST(ToDoubleTest, IsExactWhereADoubleIs) {
  EXPECT_EQ(ToDouble({250, 2}), 2.5);
  EXPECT_EQ(ToDouble({-900, 0}), -900.0);
  EXPECT_EQ(ToDouble({1, 1}), 0.1);
  EXPECT_EQ(ToDouble({1, 18}), 1e-18);
}

TEST(ParseDurationTest, ReadsUnitsAndSums) {
  EXPECT_EQ(*ParseDuration("60s"), 60'000'000);
  EXPECT_EQ(*ParseDuration("1h30m"), 5'400'000'000);
  EXPECT_EQ(*ParseDuration("500ms"), 500'000);
  EXPECT_EQ(*ParseDuration("0s"), 0);
  EXPECT_EQ(*ParseDuration("7d"), 604'800'000'000);
}

TEST(ParseDurationTest, RefusesMissingUnitsAndNonsense) {
  for (const char* text : {"", "60", "s", "-1s", "1.5h", "60 s", "10y", "99999999999999999d"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(FormatDurationTest, UsesTheLargestUnitThatDivides) {
  EXPECT_EQ(FormatDuration(60'000'000), "1m");
  EXPECT_EQ(FormatDuration(90'000'000), "90s");
  EXPECT_EQ(FormatDuration(500'000), "500ms");
  EXPECT_EQ(FormatDuration(0), "0s");
}

}  // namespace
}  // namespace caracal::agents
