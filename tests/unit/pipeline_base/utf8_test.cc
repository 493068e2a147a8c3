#include "pipeline/base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace caracal::pipeline {
namespace {

TEST(Utf8LengthTest, AcceptsTheFirstAndLastCodePointOfEveryLength) {
  EXPECT_EQ(Utf8Length(std::string_view("\0", 1)), 1u);
  EXPECT_EQ(Utf8Length("\x7F"), 1u);
  EXPECT_EQ(Utf8Length("\xC2\x80"), 2u);
  EXPECT_EQ(Utf8Length("\xDF\xBF"), 2u);
  EXPECT_EQ(Utf8Length("\xE0\xA0\x80"), 3u);
  EXPECT_EQ(Utf8Length("\xED\x9F\xBF"), 3u);
  EXPECT_EQ(Utf8Length("\xEE\x80\x80"), 3u);
  EXPECT_EQ(Utf8Length("\xEF\xBF\xBF"), 3u);
  EXPECT_EQ(Utf8Length("\xF0\x90\x80\x80"), 4u);
  EXPECT_EQ(Utf8Length("\xF4\x8F\xBF\xBF"), 4u);
}

TEST(Utf8LengthTest, RefusesWhatRfc3629Forbids) {
  EXPECT_EQ(Utf8Length(""), 0u);
  EXPECT_EQ(Utf8Length("\x80"), 0u) << "continuation byte alone";
  EXPECT_EQ(Utf8Length("\xC0\xAF"), 0u) << "overlong slash";
  EXPECT_EQ(Utf8Length("\xE0\x9F\xBF"), 0u) << "overlong";
  EXPECT_EQ(Utf8Length("\xF0\x8F\xBF\xBF"), 0u) << "overlong";
  EXPECT_EQ(Utf8Length("\xED\xA0\x80"), 0u) << "surrogate";
  EXPECT_EQ(Utf8Length("\xF4\x90\x80\x80"), 0u) << "above U+10FFFF";
  EXPECT_EQ(Utf8Length("\xF5\x80\x80\x80"), 0u);
  EXPECT_EQ(Utf8Length("\xE2\x82"), 0u) << "cut off";
  EXPECT_EQ(Utf8Length("\xE2\x82\x28"), 0u) << "third byte is no continuation";
}

TEST(ValidUtf8PrefixTest, EndsBeforeTheFirstBadByte) {
  EXPECT_EQ(ValidUtf8Prefix("abc é € 𝄞"), std::string_view("abc é € 𝄞").size());
  EXPECT_EQ(ValidUtf8Prefix("ab\xff"), 2U);
  EXPECT_EQ(ValidUtf8Prefix("a\xc0\x80"), 1U) << "overlong";
  EXPECT_EQ(ValidUtf8Prefix("a\xed\xa0\x80"), 1U) << "surrogate";
  EXPECT_EQ(ValidUtf8Prefix("a\xf4\x90\x80\x80"), 1U) << "beyond U+10FFFF";
  EXPECT_EQ(ValidUtf8Prefix("a\xe2\x82"), 1U) << "cut off";
  EXPECT_EQ(ValidUtf8Prefix("a\xe2\x28\xa1"), 1U) << "bad continuation";
}

TEST(ReplaceInvalidUtf8Test, ReplacesBrokenBytesAndKeepsTheRest) {
  EXPECT_EQ(ReplaceInvalidUtf8("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(ReplaceInvalidUtf8("a\xFF\xC3z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
}

TEST(PrintableLineTest, TurnsControlsIntoSpaces) {
  EXPECT_EQ(PrintableLine("a\tb\r\nc\x7F"), "a b  c ");
  EXPECT_EQ(PrintableLine("\x1B[31mred \xC2\x9B"
                          "0m"),
            " [31mred  0m");
  EXPECT_EQ(PrintableLine("\"caf\xC3\xA9\" \xFF"), "\"caf\xC3\xA9\" \xEF\xBF\xBD");
}

}  // namespace
}  // namespace caracal::pipeline
