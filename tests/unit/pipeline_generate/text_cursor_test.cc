#include "pipeline/generate/text_cursor.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace caracal::pipeline {
namespace {

template <typename PutValue>
std::string Written(PutValue put) {
  char buffer[1024];
  TextCursor out(buffer);
  put(out);
  return {buffer, out.position()};
}

std::string Integer(int64_t value) {
  return Written([&](TextCursor& out) { out.PutInteger(value); });
}
std::string Decimal(int64_t unscaled, int scale) {
  return Written([&](TextCursor& out) { out.PutDecimal(unscaled, scale); });
}
std::string JavaDouble(int64_t unscaled, int scale) {
  return Written([&](TextCursor& out) { out.PutJavaDouble(unscaled, scale); });
}
std::string Base64(int64_t unscaled) {
  return Written([&](TextCursor& out) { out.PutBase64Decimal(unscaled); });
}
std::string Timestamp(int64_t micros) {
  return Written([&](TextCursor& out) { out.PutTimestamp(micros); });
}
std::string Escaped(std::string_view text) {
  return Written([&](TextCursor& out) { out.PutJsonEscaped(text); });
}

TEST(TextCursorTest, WritesIntegersOfEveryLength) {
  for (int64_t value = 1; value < 1'000'000'000'000'000'000; value *= 10) {
    for (const int64_t near : {value - 1, value, value + 1, -value}) {
      EXPECT_EQ(Integer(near), std::to_string(near));
    }
  }
  EXPECT_EQ(Integer(std::numeric_limits<int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(Integer(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
}

TEST(TextCursorTest, PadsDigits) {
  EXPECT_EQ(Written([](TextCursor& out) { out.PutDigits(7, 1); }), "7");
  EXPECT_EQ(Written([](TextCursor& out) { out.PutDigits(7, 4); }), "0007");
  EXPECT_EQ(Written([](TextCursor& out) { out.PutDigits(1795241961065186, 16); }),
            "1795241961065186");
  EXPECT_EQ(Written([](TextCursor& out) { out.PutDigits(12345, 5); }), "12345");
}

TEST(TextCursorTest, WritesDecimalsInPlainDigits) {
  EXPECT_EQ(Decimal(1250, 2), "12.50");
  EXPECT_EQ(Decimal(-1, 2), "-0.01");
  EXPECT_EQ(Decimal(0, 2), "0.00");
  EXPECT_EQ(Decimal(9999999999, 2), "99999999.99");
  EXPECT_EQ(Decimal(42, 0), "42");
  EXPECT_EQ(Decimal(-127800, 6), "-0.127800");
}

// The expectations are messages that Debezium and the JsonConverter wrote, or Double.toString's
// documented form.
TEST(TextCursorTest, WritesDoublesAsJavaDoes) {
  EXPECT_EQ(JavaDouble(7710, 2), "77.1");
  EXPECT_EQ(JavaDouble(0, 2), "0.0");
  EXPECT_EQ(JavaDouble(-1, 2), "-0.01");
  EXPECT_EQ(JavaDouble(9'999'999'999, 2), "9.999999999E7");
  EXPECT_EQ(JavaDouble(1100, 2), "11.0");
  EXPECT_EQ(JavaDouble(500, 2), "5.0");
  EXPECT_EQ(JavaDouble(128, 2), "1.28");
  EXPECT_EQ(JavaDouble(999'999'999, 2), "9999999.99");
  EXPECT_EQ(JavaDouble(1'000'000'000, 2), "1.0E7");
  EXPECT_EQ(JavaDouble(100'000'000, 2), "1000000.0");
  EXPECT_EQ(JavaDouble(52'520'008, 6), "52.520008");
  EXPECT_EQ(JavaDouble(-127'800, 6), "-0.1278");
  EXPECT_EQ(JavaDouble(1'000, 6), "0.001");
  EXPECT_EQ(JavaDouble(512, 6), "5.12E-4");
  EXPECT_EQ(JavaDouble(5, 6), "5.0E-6");
}

TEST(TextCursorTest, WritesConnectDecimals) {
  EXPECT_EQ(Base64(1250), "BOI=");
  EXPECT_EQ(Base64(99999), "AYaf");
  EXPECT_EQ(Base64(-525), "/fM=");
  EXPECT_EQ(Base64(-1), "/w==");
  EXPECT_EQ(Base64(0), "AA==");
  EXPECT_EQ(Base64(128), "AIA=");
  EXPECT_EQ(Base64(9'999'999'999), "AlQL4/8=");
  EXPECT_EQ(Base64(235873), "A5lh");
  EXPECT_EQ(Base64(-128), "gA==");
  EXPECT_EQ(Base64(-129), "/38=");
  EXPECT_EQ(Base64(std::numeric_limits<int64_t>::max()), "f/////////8=");
  EXPECT_EQ(Base64(std::numeric_limits<int64_t>::min()), "gAAAAAAAAAA=");
}

TEST(TextCursorTest, WritesTimestamps) {
  EXPECT_EQ(Timestamp(0), "1970-01-01 00:00:00.000000");
  EXPECT_EQ(Timestamp(-1), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(Timestamp(1'767'323'045'678'901), "2026-01-02 03:04:05.678901");
  EXPECT_EQ(Timestamp(951'782'399'999'999), "2000-02-28 23:59:59.999999");
  EXPECT_EQ(Timestamp(951'782'400'000'000), "2000-02-29 00:00:00.000000");
  EXPECT_EQ(Timestamp(4'107'542'399'000'000), "2100-02-28 23:59:59.000000");
  EXPECT_EQ(Timestamp(4'107'542'400'000'000), "2100-03-01 00:00:00.000000");
}

TEST(TextCursorTest, EscapesJsonStrings) {
  EXPECT_EQ(Escaped(R"({"a":"b\c"})"), R"({\"a\":\"b\\c\"})");
  EXPECT_EQ(Escaped("a\nb\tc\x01"), R"(a\u000ab\u0009c\u0001)");
  EXPECT_EQ(Escaped("漢é"), "漢é");
  EXPECT_EQ(Escaped(""), "");
}

TEST(TextCursorTest, TellsUtf8FromOtherBytes) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("abc é 漢 \xF0\x9F\x92\xB3"));
  EXPECT_FALSE(IsUtf8("\xC3\x28"));
  EXPECT_FALSE(IsUtf8("\xC3"));
  EXPECT_FALSE(IsUtf8("\x80"));
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(IsUtf8("\xE0\x80\xAF"));      // overlong
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(IsUtf8("\xF0\x80\x80\xAF"));  // overlong
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_FALSE(IsUtf8("\xFF"));
}

}  // namespace
}  // namespace caracal::pipeline
