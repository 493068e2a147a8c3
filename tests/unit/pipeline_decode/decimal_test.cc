#include "pipeline/decode/decimal.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace caracal::pipeline {
namespace {

constexpr int64_t kMax = 1'000'000'000'000'000;

/// "ok:<amount>", or what is wrong.
std::string Units(const std::string& text, int scale) {
  Decimal decimal;
  switch (ParseDecimal(text, decimal)) {
    case DecimalStatus::kInvalid:
      return "invalid";
    case DecimalStatus::kNotFinite:
      return "not finite";
    case DecimalStatus::kTooLong:
      return "too long";
    case DecimalStatus::kOk:
      break;
  }
  int64_t amount = 0;
  switch (ToMinorUnits(decimal, scale, amount)) {
    case MinorUnitsStatus::kOk:
      return "ok:" + std::to_string(amount);
    case MinorUnitsStatus::kInexact:
      return "inexact";
    case MinorUnitsStatus::kOutOfRange:
      return "out of range";
  }
  return "?";
}

struct TextCase {
  std::string text;
  int scale;
  std::string expected;
};

TEST(ParseDecimalTest, ReadsDecimalTextExactly) {
  const std::vector<TextCase> cases = {
      {"12.50", 2, "ok:1250"},
      {"-0.01", 2, "ok:-1"},
      {"0.00", 2, "ok:0"},
      {"-0.00", 2, "ok:0"},
      {"77.1", 2, "ok:7710"},
      {"5", 2, "ok:500"},
      {"+5", 2, "ok:500"},
      {"007.5", 2, "ok:750"},
      {".5", 2, "ok:50"},
      {"5.", 2, "ok:500"},
      {"99999999.99", 2, "ok:9999999999"},
      {"9.999999999E7", 2, "ok:9999999999"},
      {"9.999999999e+7", 2, "ok:9999999999"},
      {"1250E-2", 2, "ok:1250"},
      {"1.0E1", 2, "ok:1000"},
      {"1.10", 2, "ok:110"},
      {"1.1000000000000000000000000000000000000000000000000000", 2, "ok:110"},
      {"0.000000000000000000000000000000000000000000000001E48", 0, "ok:1"},
      {"1E-400", 2, "inexact"},
      {"0E999999999999", 2, "ok:0"},
      {"0.0E-999999999999", 2, "ok:0"},
      {"0.05", 1, "inexact"},
      {"0.005", 2, "inexact"},
      {"12.345", 2, "inexact"},
      {"12.345", 3, "ok:12345"},
      {"3", 0, "ok:3"},
      {"3.0", 0, "ok:3"},
      {"3.5", 0, "inexact"},
      {"0.000000000000001", 15, "ok:1"},
      {"1", 15, "ok:1000000000000000"},
      {"1.000000000000001", 15, "out of range"},
      {"-0.00000000000000000001", 2, "inexact"},
      {"1.0E300", 2, "out of range"},
      {"-1.0E300", 2, "out of range"},
      {"1000000000000000000000000000000", 2, "out of range"},
      {"12345678901234567890", 2, "out of range"},
      {"1E999999999999", 2, "out of range"},
      // Out of range takes precedence over inexact, and is judged exactly.
      {"10000000000000.00", 2, "ok:1000000000000000"},
      {"10000000000000.001", 2, "out of range"},
      {"10000000000000.01", 2, "out of range"},
      {"9999999999999.999", 2, "inexact"},
      {"1000000000000000000000000000000.001", 2, "out of range"},
      {"-10000000000000.00", 2, "ok:-1000000000000000"},
      {"-10000000000000.01", 2, "out of range"},
      // More than 38 significant digits: what is beyond them still counts.
      {"1.0000000000000000000000000000000000000000000000000001", 2, "inexact"},
      {"10000000000000.0000000000000000000000000000000000000000001", 2, "out of range"},
      {"0.12345678901234567890123456789012345678901234567890", 2, "inexact"},
      {"100000000000000000000000000000000000000000E-39", 2, "ok:10000"},
      {"1234567890123456789012345678901234567890123E-30", 2, "inexact"},
  };
  for (const TextCase& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(Units(c.text, c.scale), c.expected);
  }
}

TEST(ParseDecimalTest, NamesWhatIsNotFinite) {
  for (const std::string text :
       {"NaN", "NAN", "nan", "-NaN", "Infinity", "-Infinity", "+Infinity", "INFINITY", "infinity",
        "POSITIVE_INFINITY", "NEGATIVE_INFINITY", "inf", "-inf"}) {
    EXPECT_EQ(Units(text, 2), "not finite") << text;
  }
}

TEST(ParseDecimalTest, RefusesWhatIsNoNumber) {
  for (const std::string text :
       {"",      " ",     "-",  "+",        ".",     "-.",   "e5",     "1e",  "1e+",
        "1e5.0", "1 ",    " 1", "1,000.00", "1_000", "0x10", "12a",    "--1", "+-1",
        "1-",    "1.2.3", "$5", "5€",       "BOI=",  "NaNs", "Infinit"}) {
    EXPECT_EQ(Units(text, 2), "invalid") << text;
  }
}

TEST(ParseDecimalTest, AgreesWithIntegerArithmeticOnRandomAmounts) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const int scale = static_cast<int>(random() % 7);
    const int bits = 1 + static_cast<int>(random() % 50);
    auto units = static_cast<int64_t>(random() % (uint64_t{1} << bits));
    if (units > kMax) units = kMax;
    const bool negative = random() % 2 == 0;
    std::string digits = std::to_string(units);
    while (static_cast<int>(digits.size()) <= scale) digits.insert(0, "0");
    const size_t point = digits.size() - static_cast<size_t>(scale);
    std::string text = digits.substr(0, point);
    if (scale > 0) text += "." + digits.substr(point);
    if (negative) text.insert(0, "-");
    const std::string expected = "ok:" + std::to_string(negative ? -units : units);
    ASSERT_EQ(Units(text, scale), expected) << text;
    const int shift = static_cast<int>(random() % 20) - 10;
    const std::string shifted =
        (negative ? "-" : "") + std::to_string(units) + "E" + std::to_string(shift - scale);
    if (shift >= 0 && shift <= 8) {
      int64_t power = 1;
      for (int j = 0; j < shift; ++j) power *= 10;
      if (units <= kMax / power) {
        const int64_t value = units * power;
        ASSERT_EQ(Units(shifted, scale), "ok:" + std::to_string(negative ? -value : value))
            << shifted;
      }
    }
  }
}

std::string Base64Units(const std::string& text, int source_scale, int scale) {
  Decimal decimal;
  switch (ParseBase64Decimal(text, source_scale, decimal)) {
    case DecimalStatus::kInvalid:
      return "invalid";
    case DecimalStatus::kNotFinite:
      return "not finite";
    case DecimalStatus::kTooLong:
      return "too long";
    case DecimalStatus::kOk:
      break;
  }
  int64_t amount = 0;
  switch (ToMinorUnits(decimal, scale, amount)) {
    case MinorUnitsStatus::kOk:
      return "ok:" + std::to_string(amount);
    case MinorUnitsStatus::kInexact:
      return "inexact";
    case MinorUnitsStatus::kOutOfRange:
      return "out of range";
  }
  return "?";
}

struct Base64Case {
  std::string text;
  int source_scale;
  int scale;
  std::string expected;
};

TEST(ParseBase64DecimalTest, ReadsTwosComplement) {
  const std::vector<Base64Case> cases = {
      {"BOI=", 2, 2, "ok:1250"},
      {"AYaf", 2, 2, "ok:99999"},
      {"/fM=", 2, 2, "ok:-525"},
      {"/w==", 2, 2, "ok:-1"},
      {"AA==", 2, 2, "ok:0"},
      {"AIA=", 2, 2, "ok:128"},
      {"gA==", 2, 2, "ok:-128"},
      {"fw==", 2, 2, "ok:127"},
      {"AlQL4/8=", 2, 2, "ok:9999999999"},
      {"EtaH", 4, 4, "ok:1234567"},
      {"EtaH", 4, 2, "inexact"},
      {"/w==", 20, 2, "inexact"},
      {"AQ==", -2, 2, "ok:10000"},
      {"AQ==", 0, 2, "ok:100"},
      {"ZA==", 4, 2, "ok:1"},
      {"ZA==", 4, 1, "inexact"},
      // Redundant sign bytes are still the same number.
      {"AAAAAAAAAAAAAAAAAAAABA==", 2, 2, "ok:4"},
      {"/////////////////////w==", 2, 2, "ok:-1"},
      // 2^127 - 1 and -2^127: 16 bytes.
      {"f////////////////////w==", 0, 0, "out of range"},
      {"gAAAAAAAAAAAAAAAAAAAAA==", 0, 0, "out of range"},
      {"f////////////////////w==", 40, 2, "inexact"},
      {"gAAAAAAAAAAAAAAAAAAAAA==", 38, 0, "inexact"},
      {"gAAAAAAAAAAAAAAAAAAAAA==", 100, 0, "inexact"},
      // 10^15 and one more.
      {"A41+pMaAAA==", 0, 0, "ok:1000000000000000"},
      {"A41+pMaAAQ==", 0, 0, "out of range"},
      {"/HKBWzmAAA==", 0, 0, "ok:-1000000000000000"},
      {"/HKBWzl//w==", 0, 0, "out of range"},
      {"AQAAAAAAAAAAAAAAAAAAAAA=", 0, 0, "too long"},
  };
  for (const Base64Case& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(Base64Units(c.text, c.source_scale, c.scale), c.expected);
  }
}

TEST(ParseBase64DecimalTest, RefusesWhatIsNotCanonicalBase64) {
  for (const std::string text : {"", "B", "BO", "BOI", "BOI=A", "BOI==", "B===", "====", "=OI=",
                                 "BO=I", "B O=", "BO-_", "BOJ=", "/x==", "AYa\n", "12.5", "AB=="}) {
    EXPECT_EQ(Base64Units(text, 2, 2), "invalid") << text;
  }
}

TEST(ParseBase64DecimalTest, ReadsEveryWidth) {
  // 0x0102..: the value of n bytes, checked against plain shifting.
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t width = 1; width <= 16; ++width) {
    unsigned __int128 expected = 0;
    std::string bytes;
    for (size_t i = 1; i <= width; ++i) {
      bytes += static_cast<char>(i);
      expected = expected << 8 | i;
    }
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
      const size_t size = std::min<size_t>(3, bytes.size() - i);
      uint32_t group = 0;
      for (size_t j = 0; j < 3; ++j) {
        group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0U);
      }
      for (size_t j = 0; j < 4; ++j) {
        text += j <= size ? kAlphabet[(group >> (18 - 6 * j)) & 63] : '=';
      }
    }
    Decimal decimal;
    ASSERT_EQ(ParseBase64Decimal(text, 0, decimal), DecimalStatus::kOk) << text;
    EXPECT_TRUE(decimal.digits == expected) << width;
    EXPECT_FALSE(decimal.negative);
  }
}

TEST(ParseShortBase64Test, ReadsWhatTheLongWayReads) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/AAQQgw====.-_\\\x80";
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    const size_t size = random() % 4 == 0 ? random() % 14 : 4 + 4 * (random() % 2);
    for (size_t j = 0; j < size; ++j) text += kCharacters[random() % 64];
    if (random() % 2 == 0 && size > 1) text[size - 1] = kCharacters[random() % kCharacters.size()];
    if (random() % 2 == 0 && size > 2) text[size - 2] = kCharacters[random() % kCharacters.size()];
    int64_t number = 0;
    Decimal decimal;
    const DecimalStatus status = ParseBase64Decimal(text, 0, decimal);
    const bool is_short = text.size() == 4 || text.size() == 8;
    ASSERT_EQ(ParseShortBase64(text, number), is_short && status == DecimalStatus::kOk) << text;
    if (!is_short || status != DecimalStatus::kOk) continue;
    const auto digits = static_cast<int64_t>(decimal.digits);
    ASSERT_EQ(number, decimal.negative ? -digits : digits) << text;
    ++read;
  }
  EXPECT_GT(read, 10'000);
}

TEST(LooksLikeBase64Test, LooksAtAlphabetAndLength) {
  EXPECT_TRUE(LooksLikeBase64("BOI="));
  EXPECT_TRUE(LooksLikeBase64("1234"));
  EXPECT_FALSE(LooksLikeBase64(""));
  EXPECT_FALSE(LooksLikeBase64("BOI"));
  EXPECT_FALSE(LooksLikeBase64("12.5"));
  EXPECT_FALSE(LooksLikeBase64("===="));
}

std::string Rounded(const std::string& text, int64_t limit) {
  Decimal decimal;
  if (ParseDecimal(text, decimal) != DecimalStatus::kOk) return "invalid";
  int64_t value = 0;
  return RoundToScale(decimal, 6, limit, value) ? std::to_string(value) : "off";
}

TEST(RoundToScaleTest, RoundsHalfAwayFromZero) {
  constexpr int64_t kLimit = 90'000'000;
  EXPECT_EQ(Rounded("48.856613", kLimit), "48856613");
  EXPECT_EQ(Rounded("4.8856613E1", kLimit), "48856613");
  EXPECT_EQ(Rounded("48.8566134", kLimit), "48856613");
  EXPECT_EQ(Rounded("48.8566135", kLimit), "48856614");
  EXPECT_EQ(Rounded("-48.8566135", kLimit), "-48856614");
  EXPECT_EQ(Rounded("-48.85661349999", kLimit), "-48856613");
  EXPECT_EQ(Rounded("0.0000005", kLimit), "1");
  EXPECT_EQ(Rounded("0.00000049999999999999999999999999999999999999999999", kLimit), "0");
  EXPECT_EQ(Rounded("1E-30", kLimit), "0");
  EXPECT_EQ(Rounded("1E-60", kLimit), "0");
  EXPECT_EQ(Rounded("90", kLimit), "90000000");
  EXPECT_EQ(Rounded("90.0000004", kLimit), "90000000");
  EXPECT_EQ(Rounded("90.0000005", kLimit), "off");
  EXPECT_EQ(Rounded("-90.0000005", kLimit), "off");
  EXPECT_EQ(Rounded("1E300", kLimit), "off");
}

/// Numbers as the short readings know them, and neighbours that they must leave alone.
std::string RandomShortText(std::mt19937_64& random) {
  const auto pick = [&random](size_t below) { return random() % below; };
  std::string text = pick(3) == 0 ? "-" : "";
  for (size_t i = pick(12); i > 0; --i) text += static_cast<char>('0' + pick(10));
  if (pick(4) != 0) text += '.';
  for (size_t i = pick(10); i > 0; --i) text += pick(2) == 0 ? '5' : "0499"[pick(4)];
  if (pick(16) == 0 && !text.empty()) text[pick(text.size())] = "+-.eE/:"[pick(7)];
  return text;
}

TEST(ParseShortTest, SaysWhatTheLongReadingSaysOrNothing) {
  const auto seed = static_cast<uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(::testing::Message() << "random seed " << seed);
  std::mt19937_64 random(seed);
  int exact = 0;
  int rounded = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = RandomShortText(random);
    const int scale = static_cast<int>(random() % 16);
    Decimal decimal;
    const bool valid = ParseDecimal(text, decimal) == DecimalStatus::kOk;
    int64_t units = 0;
    if (ParseShortExact(text, scale, units)) {
      ++exact;
      ASSERT_TRUE(valid) << text;
      int64_t expected = 0;
      const MinorUnitsStatus status = ToMinorUnits(decimal, scale, expected);
      ASSERT_NE(status, MinorUnitsStatus::kInexact) << text;
      if (status == MinorUnitsStatus::kOk) {
        ASSERT_EQ(units, expected) << text << " " << scale;
      }
    }
    if (ParseShortRounded(text, scale, units)) {
      ++rounded;
      ASSERT_TRUE(valid) << text;
      int64_t expected = 0;
      if (RoundToScale(decimal, scale, 1'000'000'000'000'000, expected)) {
        ASSERT_EQ(units, expected) << text << " " << scale;
      }
    }
  }
  EXPECT_GT(exact, 50'000);
  EXPECT_GT(rounded, exact);
}

TEST(ParseShortTest, LeavesAloneWhatIsNotShort) {
  int64_t units = 0;
  for (const char* text :
       {"", "-", "+1", ".5", "1e3", "1.2.3", "NaN", "1234567890123456789", "1 "}) {
    EXPECT_FALSE(ParseShortExact(text, 2, units)) << text;
    EXPECT_FALSE(ParseShortRounded(text, 2, units)) << text;
  }
  EXPECT_FALSE(ParseShortExact("1.005", 2, units));
  ASSERT_TRUE(ParseShortRounded("1.005", 2, units));
  EXPECT_EQ(units, 101);
  ASSERT_TRUE(ParseShortExact("5.", 2, units));
  EXPECT_EQ(units, 500);
}

}  // namespace
}  // namespace caracal::pipeline
