#include "pipeline/decode/json_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

struct Scanned {
  bool valid = false;
  size_t consumed = 0;
  JsonToken token;
  std::shared_ptr<char[]> bytes;
};

/// Scans a copy of exactly the bytes of `json`, so that a sanitizer sees every byte read too far.
Scanned Scan(const std::string& json) {
  Scanned scanned;
  scanned.bytes = std::shared_ptr<char[]>(new char[json.size() + 1]);
  char* const begin = scanned.bytes.get() + 1;
  std::memcpy(begin, json.data(), json.size());
  const char* const behind = ScanScalar(begin, begin + json.size(), scanned.token);
  scanned.valid = behind != nullptr;
  if (scanned.valid) scanned.consumed = static_cast<size_t>(behind - begin);
  return scanned;
}

TEST(ScanScalarTest, AcceptsWhatTheGrammarAllows) {
  const std::vector<std::pair<std::string, JsonKind>> valid = {
      {"null", JsonKind::kNull},
      {"true", JsonKind::kBool},
      {"false", JsonKind::kBool},
      {"0", JsonKind::kNumber},
      {"-0", JsonKind::kNumber},
      {"7", JsonKind::kNumber},
      {"1234567890123456789012345678901234567890", JsonKind::kNumber},
      {"-12.50", JsonKind::kNumber},
      {"9.999999999E7", JsonKind::kNumber},
      {"1e+300", JsonKind::kNumber},
      {"0e-0", JsonKind::kNumber},
      {R"("")", JsonKind::kString},
      {R"("visa")", JsonKind::kString},
      {R"("a longer string of more than sixteen bytes")", JsonKind::kString},
      {R"("\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00")", JsonKind::kString},
      {"\"é漢😀\"", JsonKind::kString},
      {R"("half a pair is legal JSON: \uD83D")", JsonKind::kString},
      {"\"\x7f\"", JsonKind::kString},
  };
  for (const auto& [json, kind] : valid) {
    SCOPED_TRACE(json);
    const Scanned scanned = Scan(json);
    ASSERT_TRUE(scanned.valid);
    EXPECT_EQ(scanned.consumed, json.size());
    EXPECT_EQ(scanned.token.kind, kind);
    const std::string text = kind == JsonKind::kString ? json.substr(1, json.size() - 2) : json;
    EXPECT_EQ(scanned.token.text, text);
  }
}

TEST(ScanScalarTest, RefusesEverythingElse) {
  const std::vector<std::string> invalid = {
      "",
      " ",
      "n",
      "nul",
      "Null",
      "tru",
      "fals",
      "+1",
      "-",
      "-a",
      "00",
      "01",
      "-012",
      "1.",
      "1.e5",
      ".5",
      "1e",
      "1e+",
      "NaN",
      "Infinity",
      "'a'",
      "\"",
      "\"abc",
      "\"tab\there\"",
      "\"nul\0l\"",
      "\"line\nbreak\"",
      R"("\x41")",
      R"("\u12")",
      R"("\u12g4")",
      R"("\)",
      R"("\u)",
      "\"\x80\"",
      "\"\xC3\"",
      "\"\xC0\xAF\"",
      "\"\xED\xA0\x80\"",
      "\"\xF5\x80\x80\x80\"",
      "[",
      "{}",
  };
  for (const std::string& json : invalid) {
    SCOPED_TRACE(json);
    EXPECT_FALSE(Scan(json).valid);
  }
  EXPECT_FALSE(Scan(std::string("\"nul\0l\"", 7)).valid);
}

TEST(ScanScalarTest, StopsBehindTheScalar) {
  EXPECT_EQ(Scan("12,").consumed, 2U);
  EXPECT_EQ(Scan("12.5}").consumed, 4U);
  EXPECT_EQ(Scan("\"a\"b").consumed, 3U);
  EXPECT_EQ(Scan("nullx").consumed, 4U);
}

TEST(ScanScalarTest, FindsSpecialBytesAtEveryPosition) {
  // Word-wise scanning must not miss a byte at any alignment or length.
  for (size_t length = 0; length < 40; ++length) {
    const std::string plain(length, 'x');
    EXPECT_TRUE(Scan("\"" + plain + "\"").valid) << length;
    EXPECT_FALSE(Scan("\"" + plain).valid) << length;
    for (size_t at = 0; at < length; ++at) {
      std::string control = plain;
      control[at] = '\x1f';
      EXPECT_FALSE(Scan("\"" + control + "\"").valid) << length << " " << at;
      std::string broken = plain;
      broken[at] = '\xff';
      EXPECT_FALSE(Scan("\"" + broken + "\"").valid) << length << " " << at;
      std::string quote = plain;
      quote[at] = '"';
      EXPECT_EQ(Scan("\"" + quote + "\"").consumed, at + 2) << length << " " << at;
    }
  }
}

TEST(ScanScalarTest, MarksPlainTokens) {
  EXPECT_TRUE(Scan("\"visa\"").token.plain);
  EXPECT_FALSE(Scan(R"("vi\u0073a")").token.plain);
  EXPECT_TRUE(Scan("\"é\"").token.plain);
  EXPECT_TRUE(Scan("-12").token.plain);
  EXPECT_FALSE(Scan("12.0").token.plain);
  EXPECT_FALSE(Scan("12e1").token.plain);
}

std::string Canonical(const std::string& json) {
  const Scanned scanned = Scan(json);
  EXPECT_TRUE(scanned.valid) << json;
  Arena arena;
  std::string_view text;
  switch (ReadText(scanned.token, arena, text)) {
    case TextStatus::kText:
      return std::string(text);
    case TextStatus::kNull:
      return "<null>";
    case TextStatus::kUnreadable:
      break;
  }
  return "<unreadable>";
}

TEST(ReadTextTest, MakesNumbersAndStringsOneText) {
  EXPECT_EQ(Canonical("1042"), "1042");
  EXPECT_EQ(Canonical("\"1042\""), "1042");
  EXPECT_EQ(Canonical("-0"), "0");
  EXPECT_EQ(Canonical("\"-0\""), "-0");
  EXPECT_EQ(Canonical("1042.0"), "1042.0");
  EXPECT_EQ(Canonical("1e3"), "1e3");
  EXPECT_EQ(Canonical("true"), "true");
  EXPECT_EQ(Canonical("12345678901234567890123"), "12345678901234567890123");
}

TEST(ReadTextTest, Unescapes) {
  EXPECT_EQ(Canonical(R"("utf8 \"\u00e9\" \\ \u6F22\ttab")"), "utf8 \"é\" \\ 漢\ttab");
  EXPECT_EQ(Canonical(R"("\/\b\f\n\r")"), "/\b\f\n\r");
  EXPECT_EQ(Canonical(R"("\uD83D\uDE00")"), "😀");
  EXPECT_EQ(Canonical(R"("\u0000")"), std::string(1, '\0'));
  EXPECT_EQ(Canonical(R"("\uFFFF\u07FF\u0800")"), "\xEF\xBF\xBF\xDF\xBF\xE0\xA0\x80");
}

TEST(ReadTextTest, RefusesHalfSurrogatePairs) {
  EXPECT_EQ(Canonical(R"("\uD83D")"), "<unreadable>");
  EXPECT_EQ(Canonical(R"("\uDE00")"), "<unreadable>");
  EXPECT_EQ(Canonical(R"("\uD83Dx")"), "<unreadable>");
  EXPECT_EQ(Canonical(R"("\uD83D\n")"), "<unreadable>");
  EXPECT_EQ(Canonical(R"("\uD83D\uD83D")"), "<unreadable>");
}

TEST(ReadTextTest, TakesTheToastPlaceholderForNull) {
  EXPECT_EQ(Canonical("null"), "<null>");
  EXPECT_EQ(Canonical("\"__debezium_unavailable_value\""), "<null>");
  EXPECT_EQ(Canonical(R"("\u005f_debezium_unavailable_value")"), "<null>");
  EXPECT_EQ(Canonical("\"\""), "");
}

TEST(ReadTextTest, LeavesNoTextForNull) {
  const Scanned scanned = Scan("\"__debezium_unavailable_value\"");
  Arena arena;
  std::string_view text;
  ASSERT_EQ(ReadText(scanned.token, arena, text), TextStatus::kNull);
  EXPECT_EQ(text.data(), nullptr);
}

TEST(ReadTextTest, RefusesContainers) {
  Arena arena;
  std::string_view text;
  EXPECT_EQ(ReadText({{}, JsonKind::kObject, true}, arena, text), TextStatus::kUnreadable);
  EXPECT_EQ(ReadText({{}, JsonKind::kArray, true}, arena, text), TextStatus::kUnreadable);
  EXPECT_EQ(ReadText(JsonToken{}, arena, text), TextStatus::kNull);
}

TEST(ReadInt64Test, ReadsTheWholeRange) {
  const std::vector<std::pair<std::string, int64_t>> valid = {
      {"0", 0},
      {"-0", 0},
      {"7", 7},
      {"-1", -1},
      {"12345678", 12345678},
      {"123456789", 123456789},
      {"1772600767123456", 1772600767123456},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"-9223372036853775810", -9223372036853775810},
  };
  for (const auto& [json, expected] : valid) {
    SCOPED_TRACE(json);
    int64_t value = 1;
    EXPECT_TRUE(ReadInt64(Scan(json).token, value));
    EXPECT_EQ(value, expected);
  }
}

TEST(ReadInt64Test, ReadsEveryNumberOfDigits) {
  const std::string digits = "9172600767123456089";
  int64_t expected = 0;
  for (size_t size = 1; size < digits.size(); ++size) {
    expected = expected * 10 + (digits[size - 1] - '0');
    int64_t value = 0;
    EXPECT_TRUE(ReadInt64(Scan(digits.substr(0, size)).token, value));
    EXPECT_EQ(value, expected);
    EXPECT_TRUE(ReadInt64(Scan("-" + digits.substr(0, size)).token, value));
    EXPECT_EQ(value, -expected);
  }
}

TEST(ReadInt64Test, RefusesOverflowAndOtherTokens) {
  for (const std::string json :
       {"9223372036854775808", "-9223372036854775809", "18446744073709551615",
        "18446744073709551616", "99999999999999999999", "1.0", "1e3", "\"1\"", "null", "true"}) {
    SCOPED_TRACE(json);
    const Scanned scanned = Scan(json);
    ASSERT_TRUE(scanned.valid);
    int64_t value = 0;
    EXPECT_FALSE(ReadInt64(scanned.token, value));
  }
}

TEST(IsTextTest, ComparesUnescaped) {
  EXPECT_TRUE(IsText(Scan("\"op\"").token, "op"));
  EXPECT_TRUE(IsText(Scan(R"("\u006fp")").token, "op"));
  EXPECT_FALSE(IsText(Scan("\"oq\"").token, "op"));
  EXPECT_FALSE(IsText(Scan(R"("\uD83D")").token, "op"));
  EXPECT_FALSE(IsText(Scan("1").token, "1"));
  EXPECT_FALSE(IsText(JsonToken{}, ""));
}

}  // namespace
}  // namespace caracal::pipeline
