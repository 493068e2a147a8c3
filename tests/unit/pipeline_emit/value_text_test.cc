#include "pipeline/emit/value_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>

namespace caracal::pipeline {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::string Decimal(int64_t minor_units, int scale) {
  std::string out;
  AppendDecimal(minor_units, scale, out);
  return out;
}

std::string Seconds(int64_t micros) {
  std::string out;
  AppendSeconds(micros, out);
  return out;
}

std::string Real(double value) {
  std::string out;
  AppendReal(value, out);
  return out;
}

std::string Code(int64_t code) {
  std::string out;
  AppendCode(code, out);
  return out;
}

TEST(AppendDecimalTest, KeepsEveryDigitOfTheScale) {
  EXPECT_EQ(Decimal(472'015, 2), "4720.15");
  EXPECT_EQ(Decimal(400'000, 2), "4000.00");
  EXPECT_EQ(Decimal(0, 2), "0.00");
  EXPECT_EQ(Decimal(7, 0), "7");
  EXPECT_EQ(Decimal(1, 8), "0.00000001");
}

TEST(AppendDecimalTest, PutsTheSignBeforeAZeroUnit) {
  EXPECT_EQ(Decimal(-5, 2), "-0.05");
  EXPECT_EQ(Decimal(-100, 2), "-1.00");
}

TEST(AppendDecimalTest, HoldsTheEndsOfTheRange) {
  EXPECT_EQ(Decimal(kMax, 18), "9.223372036854775807");
  EXPECT_EQ(Decimal(kMin, 18), "-9.223372036854775808");
  EXPECT_EQ(Decimal(kMin, 0), "-9223372036854775808");
}

TEST(AppendSecondsTest, DropsTrailingZeros) {
  EXPECT_EQ(Seconds(60'000'000), "60");
  EXPECT_EQ(Seconds(500'000), "0.5");
  EXPECT_EQ(Seconds(1), "0.000001");
  EXPECT_EQ(Seconds(0), "0");
  EXPECT_EQ(Seconds(-1'250'000), "-1.25");
  EXPECT_EQ(Seconds(100'000'000), "100");
}

TEST(AppendRealTest, WritesThreeDecimals) {
  EXPECT_EQ(Real(3.14159), "3.142");
  EXPECT_EQ(Real(-2), "-2.000");
  EXPECT_EQ(Real(0.0625), "0.062") << "an exact tie goes to even";
  EXPECT_EQ(Real(1e15), "1000000000000000.000");
}

TEST(AppendRealTest, IsNullWhereJsonHasNoNumber) {
  EXPECT_EQ(Real(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(Real(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(Real(-std::numeric_limits<double>::infinity()), "null");
}

TEST(AppendCodeTest, ReadsBytesLowestFirst) {
  EXPECT_EQ(Code('F' | ('R' << 8)), R"("FR")");
  EXPECT_EQ(Code(0x4847464544434241), R"("ABCDEFGH")");
  EXPECT_EQ(Code(0), R"("")");
}

TEST(AppendCodeTest, EscapesWhatIsNotText) {
  EXPECT_EQ(Code('"' | ('\\' << 8)), R"("\"\\")");
  EXPECT_EQ(Code(0xFF), "\"\xEF\xBF\xBD\"");
}

TEST(AppendObservedTest, RendersEveryKindOfSlot) {
  const auto render = [](agents::ValueKind kind, int64_t value) {
    std::string out;
    AppendObserved(kind, value, /*amount_scale=*/3, out);
    return out;
  };
  EXPECT_EQ(render(agents::ValueKind::kInteger, -6), "-6");
  EXPECT_EQ(render(agents::ValueKind::kMoney, 1500), R"("1.500")");
  EXPECT_EQ(render(agents::ValueKind::kMicros, 1'500'000), "1.5");
  EXPECT_EQ(render(agents::ValueKind::kReal, std::bit_cast<int64_t>(0.5)), "0.500");
  EXPECT_EQ(render(agents::ValueKind::kCode, 'D' | ('E' << 8)), R"("DE")");
}

}  // namespace
}  // namespace caracal::pipeline
