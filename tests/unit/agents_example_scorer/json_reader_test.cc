#include "agents/sdk/example/scorer/json_reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace scorer {
namespace {

/// Why `text` is no JSON; empty when it is.
std::string Refusal(const std::string& text) {
  JsonReader reader(text);
  try {
    reader.Skip();
    reader.ReadEnd();
    return "";
  } catch (const ModelError& error) {
    return error.what();
  }
}

TEST(JsonReaderTest, ReadsEveryKindOfValue) {
  JsonReader reader(
      R"( {"text": "a\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00", "numbers": [-0, 7, 1.5e+3, 2E-1],)"
      R"( "flags": [true, false, 1, 0], "skipped": {"a": [null, {}, [], "]"]}} )");
  std::string text;
  std::vector<double> numbers;
  std::vector<bool> flags;
  reader.ReadObject([&](std::string_view name) {
    if (name == "text") {
      text = reader.ReadText();
    } else if (name == "numbers") {
      reader.ReadArray([&] { numbers.push_back(reader.ReadDouble()); });
    } else if (name == "flags") {
      reader.ReadArray([&] { flags.push_back(reader.ReadFlag()); });
    } else {
      reader.Skip();
    }
  });
  reader.ReadEnd();
  EXPECT_EQ(text, "a\"\\/\b\f\n\r\t\u00e9\u20AC\U0001F600");
  EXPECT_EQ(numbers, (std::vector<double>{0, 7, 1500, 0.2}));
  EXPECT_EQ(flags, (std::vector<bool>{true, false, true, false}));
}

TEST(JsonReaderTest, ReadsTheNearestFloat) {
  const auto read = [](const char* text) { return JsonReader(text).ReadFloat(); };
  EXPECT_EQ(read("5.1E-1"), 0.51F);
  EXPECT_EQ(read("16777217"), 16777216.0F);
  // Halfway between two floats but for the last digit: rounded once, not by way of a double.
  EXPECT_EQ(read("1.00000017881393432617187499"), 1.00000011920928955078125F);
  EXPECT_EQ(read("1.00000017881393432617187501"), 1.0000002384185791015625F);
  EXPECT_EQ(read("1E-45"), std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(read("1E-60"), 0.0F);
  EXPECT_EQ(read("3.4028235E38"), std::numeric_limits<float>::max());
  EXPECT_THROW(read("3.5E38"), ModelError);
}

TEST(JsonReaderTest, RefusesWhatIsNoJson) {
  EXPECT_EQ(Refusal("[1,\n2"), "line 2, column 2: the text ends where a ',' or ']' should be");
  EXPECT_EQ(Refusal("{\"a\" 1}"),
            "line 1, column 6: there should be a ':' after the name of a member");
  EXPECT_EQ(Refusal("[nan]"), "line 1, column 2: there should be a value");
  EXPECT_EQ(Refusal("[Inf]"), "line 1, column 2: there should be a number");
  EXPECT_EQ(Refusal("{} x"), "line 1, column 4: something follows the end of the model");
  for (const char* text : {"",
                           "{",
                           "[",
                           "[1 2]",
                           "[1,]",
                           "{\"a\":1,}",
                           "{1:2}",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "-",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"a\nb\"",
                           "tru",
                           "nul",
                           "[falsy]",
                           "'a'",
                           "1e999"}) {
    if (std::string(text) == "1e999") {
      EXPECT_THROW(JsonReader(text).ReadDouble(), ModelError);
    } else {
      EXPECT_NE(Refusal(text), "") << text;
    }
  }
}

TEST(JsonReaderTest, KnowsNumbersThatAreNotFiniteWhereTheyMayBe) {
  EXPECT_EQ(Refusal("[NaN, Infinity, -Infinity]"), "");
  EXPECT_TRUE(std::isnan(JsonReader("NaN").ReadFloat()));
  EXPECT_EQ(JsonReader("-Infinity").ReadFloat(), -std::numeric_limits<float>::infinity());
  EXPECT_THROW(JsonReader("NaN").ReadDouble(), ModelError);
  EXPECT_THROW(JsonReader("Infinity").ReadDouble(), ModelError);
}

TEST(JsonReaderTest, RefusesAnIntegerThatIsNone) {
  for (const char* text : {"1.5", "1e3", "99999999999999999999", "true", "\"1\"", "NaN"}) {
    EXPECT_THROW(JsonReader(text).ReadInteger(), ModelError) << text;
  }
  EXPECT_EQ(JsonReader("-12").ReadInteger(), -12);
}

TEST(JsonReaderTest, BoundsTheDepth) {
  const std::string open(JsonReader::kMaxDepth, '[');
  EXPECT_EQ(Refusal(open + std::string(JsonReader::kMaxDepth, ']')), "");
  EXPECT_EQ(Refusal('[' + open), "line 1, column 66: values nest more than 64 deep");
}

}  // namespace
}  // namespace scorer
