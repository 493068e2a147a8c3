#include "pipeline/base/json_string.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace caracal::pipeline {
namespace {

TEST(JsonStringTest, CopiesPrintableTextAsItIs) {
  EXPECT_EQ(JsonString(""), R"("")");
  EXPECT_EQ(JsonString("1042/VISA {}[]:,"), R"("1042/VISA {}[]:,")");
  EXPECT_EQ(JsonString("Zażółć 会社 \xF0\x9F\x90\x86"), "\"Zażółć 会社 \xF0\x9F\x90\x86\"");
}

TEST(JsonStringTest, EscapesQuotesBackslashesAndControls) {
  EXPECT_EQ(JsonString("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(JsonString("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(JsonString(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
}

TEST(JsonStringTest, EscapesC1ControlsThatTerminalsActOn) {
  EXPECT_EQ(JsonString("\xC2\x9B"
                       "31m"),
            R"("\u009b31m")");
  EXPECT_EQ(JsonString("\xC2\xA0"), "\"\xC2\xA0\"");
}

TEST(JsonStringTest, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(JsonString("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(JsonString("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonStringTest, AppendsToWhatIsThere) {
  std::string out = "{\"a\":";
  AppendJsonString("b", out);
  EXPECT_EQ(out, "{\"a\":\"b\"");
}

}  // namespace
}  // namespace caracal::pipeline
