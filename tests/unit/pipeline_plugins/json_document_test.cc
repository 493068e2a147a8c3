#include "pipeline/plugins/json_document.h"

#include <gtest/gtest.h>

#include <string>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

using Kind = JsonDocument::Kind;

std::string ErrorOf(std::string_view text) {
  const auto document = ParseJson(text);
  return document.ok() ? std::string() : agents::MessageOf(document.status());
}

TEST(ParseJsonTest, KeepsValuesAsTheyWereWritten) {
  const auto document =
      ParseJson(R"( {"a": [1.50, -2e3, true, null], "b": {"c": "x\"\\\/\n\u00e9\ud83d\ude00"}} )");
  ASSERT_TRUE(document.ok()) << document.status();
  const JsonDocument* a = document->Find("a");
  ASSERT_NE(a, nullptr);
  ASSERT_EQ(a->items.size(), 4U);
  EXPECT_EQ(a->items[0].text, "1.50");
  EXPECT_EQ(a->items[1].text, "-2e3");
  EXPECT_EQ(a->items[2].kind, Kind::kBool);
  EXPECT_EQ(a->items[3].kind, Kind::kNull);
  EXPECT_EQ(document->Find("b")->Find("c")->text, "x\"\\/\n\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(document->Find("d"), nullptr);
}

TEST(ParseJsonTest, RefusesWhatIsNoJson) {
  for (const std::string_view text :
       {"",        "{",           "[1,]",        "{\"a\":1,}",   "{a:1}", "{'a':1}",
        "01",      "1.",          "-",           "1e",           "tru",   "nulll",
        "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00x\"", "\"a",   "\"\t\"",
        "[1 2]",   "{\"a\" 1}",   "{} {}",       "// c\n{}",     "NaN",   "+1"}) {
    EXPECT_EQ(ErrorOf(text).substr(0, 11), "is no JSON:") << text;
  }
}

TEST(ParseJsonTest, SaysWhere) {
  EXPECT_EQ(ErrorOf("{\n  \"a\": 1\n  \"b\": 2\n}"),
            "is no JSON: line 3, column 3: ',' or '}' is missing");
  EXPECT_EQ(ErrorOf(R"({"a": 1, "a": 2})"),
            "is no JSON: line 1, column 13: the key 'a' comes twice");
  EXPECT_EQ(ErrorOf("\xff"), "is no JSON: it is not UTF-8 text");
}

TEST(ParseJsonTest, IsBoundedInDepth) {
  EXPECT_EQ(ErrorOf(std::string(33, '[') + std::string(33, ']')), "");
  EXPECT_NE(ErrorOf(std::string(34, '[')).find("nested too deep"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(1'000'000, '[')).find("nested too deep"), std::string::npos);
}

}  // namespace
}  // namespace caracal::pipeline
