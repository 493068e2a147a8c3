#include "pipeline/config/json.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

Json Sample() {
  Json inner = Json::MakeObject();
  inner.Set("z", true).Set("a", Json());
  Json json = Json::MakeObject();
  json.Set("b", int64_t{-7}).Set("a", Json(std::vector<std::string>{"x", "y"}));
  json.Set("c", std::move(inner));
  return json;
}

TEST(JsonTest, KeepsTheOrderOfKeysUnlessSorted) {
  EXPECT_EQ(Sample().Dump(), R"({"b":-7,"a":["x","y"],"c":{"z":true,"a":null}})");
  EXPECT_EQ(Sample().Sorted().Dump(), R"({"a":["x","y"],"b":-7,"c":{"a":null,"z":true}})");
}

TEST(JsonTest, EscapesWhatJsonForbidsAndNothingElse) {
  EXPECT_EQ(Json("q\" b\\ n\n r\r t\t \x01 é/").Dump(), R"("q\" b\\ n\n r\r t\t \u0001 é/")");
}

TEST(JsonTest, IndentsForPeople) {
  Json json = Json::MakeObject();
  json.Set("a", std::vector<std::string>{"x"}).Set("e", Json::MakeArray());
  EXPECT_EQ(json.DumpIndented(), "{\n  \"a\": [\n    \"x\"\n  ],\n  \"e\": []\n}");
}

TEST(JsonTest, KnowsWhatIsEmpty) {
  EXPECT_TRUE(Json::MakeObject().empty());
  EXPECT_TRUE(Json::MakeArray().empty());
  EXPECT_FALSE(Json("").empty());
  EXPECT_FALSE(Sample().empty());
}

}  // namespace
}  // namespace caracal::pipeline
