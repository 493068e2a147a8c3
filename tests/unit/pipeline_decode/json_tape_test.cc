#include "pipeline/decode/json_tape.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

namespace caracal::pipeline {
namespace {

constexpr size_t kDepth = 64;

JsonStatus Parse(const std::string& json) {
  JsonTape tape(kDepth);
  return tape.Parse(json, 0);
}

TEST(JsonTapeTest, AcceptsValidDocuments) {
  for (const std::string json : {
           R"({})",
           R"([])",
           R"(null)",
           R"(true)",
           R"(-1.5e3)",
           R"("text")",
           R"( {"a" : 1 , "b" : [ 1 , { } , [ ] , null ] } )",
           R"({"a":1,"a":2})",
           R"({"":""})",
           R"([1e999,-0,0.1,123456789012345678901234567890])",
           "\t\r\n[1]\n",
           R"({"é漢":"\ud83d\ude00"})",
       }) {
    SCOPED_TRACE(json);
    EXPECT_EQ(Parse(json), JsonStatus::kOk);
  }
}

TEST(JsonTapeTest, RefusesMalformedDocuments) {
  for (const std::string json : {
           "",
           "   ",
           "{",
           "}",
           "[",
           "]",
           R"({"a":1)",
           R"({"a":[1})",
           R"({"a":[1}])",
           R"({"a":1]})",
           R"({"a":{"b":1})",
           R"({"a":[{})",
           R"({"a":1}})",
           R"({"a":1}{})",
           R"({"a":1},)",
           R"({"a":1} x)",
           R"([1,])",
           R"([,1])",
           R"([1 2])",
           R"([1,,2])",
           R"({"a":1,})",
           R"({,"a":1})",
           R"({"a" 1})",
           R"({"a":})",
           R"({"a"})",
           R"({a:1})",
           R"({1:1})",
           R"({"a":b})",
           R"({"a":tru})",
           R"({"a":truefalse})",
           R"({"a":nulll})",
           R"({"a":01})",
           R"({"a":1.})",
           R"({"a":.5})",
           R"({"a":+1})",
           R"({"a":0x10})",
           R"({"a":NaN})",
           R"({"a":-Infinity})",
           R"({"a":1-2})",
           R"({"a":1 2})",
           R"({"a":"b"c})",
           R"({"a":"b" "c"})",
           R"({"a"x:1})",
           R"(["a":1])",
           R"({"a":"b":1})",
           R"({"a":{"b":"c"},"d":"e":"f"})",
           R"({"a":[{"b":1},"c":"d"]})",
           R"({"a":"\x"})",
           R"({"\u12":1})",
           R"({"a":"unclosed})",
           R"({"a":'b'})",
           R"({"a":1}//c)",
           R"({/**/"a":1})",
           "{\"a\":\"\x01\"}",
           "{\"a\":1\x0c}",
           "\xEF\xBB\xBF{}",
           "nul",
           "1 2",
           "\"a\"b",
           "abc",
       }) {
    SCOPED_TRACE(json);
    EXPECT_EQ(Parse(json), JsonStatus::kMalformed);
  }
  EXPECT_EQ(Parse(std::string("{\"a\":1}\0", 8)), JsonStatus::kMalformed);
  EXPECT_EQ(Parse(std::string("{\"a\0\":1}", 8)), JsonStatus::kMalformed);
}

TEST(JsonTapeTest, RefusesEveryProperPrefix) {
  const std::string json =
      R"({"before":null,"after":{"id":1,"s":"a\nb","l":[1,{"x":true}]},"op":"c"})";
  ASSERT_EQ(Parse(json), JsonStatus::kOk);
  for (size_t length = 0; length < json.size(); ++length) {
    EXPECT_EQ(Parse(json.substr(0, length)), JsonStatus::kMalformed) << length;
  }
}

TEST(JsonTapeTest, ReportsInvalidUtf8BeforeAnythingElse) {
  for (const std::string json : {
           "{\"a\":\"\xC3\x28\"}",
           "{\"\xFF\":1}",
           "{\"a\":\"\xED\xA0\x80\"}",
           "{\"a\":\"\xF8\x88\x80\x80\x80\"}",
           "{\"a\":\xC3}",
           "{\"a\":\"\xE6\xBC",
           "\"\xC0\xAF\"",
           "\xFF",
       }) {
    EXPECT_EQ(Parse(json), JsonStatus::kInvalidUtf8) << testing::PrintToString(json);
  }
}

TEST(JsonTapeTest, CountsTheOutermostContainerAsDepthOne) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(Parse(nested(kDepth)), JsonStatus::kOk);
  EXPECT_EQ(Parse(nested(kDepth + 1)), JsonStatus::kTooDeep);
  EXPECT_EQ(Parse(std::string(100'000, '[')), JsonStatus::kMalformed);
  EXPECT_EQ(Parse(nested(100'000)), JsonStatus::kTooDeep);
  std::string objects;
  for (size_t i = 0; i <= kDepth; ++i) objects += "{\"a\":";
  objects += "1" + std::string(kDepth + 1, '}');
  EXPECT_EQ(Parse(objects), JsonStatus::kTooDeep);
}

TEST(JsonTapeTest, FindsTheFirstOfRepeatedMembers) {
  const std::string json = R"({"a":1,"b":{"a":2},"a":3,"\u0063":4,"c":5})";
  JsonTape tape(kDepth);
  ASSERT_EQ(tape.Parse(json, 0), JsonStatus::kOk);
  EXPECT_EQ(tape.Token(tape.Find(0, "a")).text, "1");
  EXPECT_EQ(tape.Token(tape.Find(tape.Find(0, "b"), "a")).text, "2");
  EXPECT_EQ(tape.Token(tape.Find(0, "c")).text, "4");
  EXPECT_EQ(tape.Find(0, "d"), JsonTape::kNone);
  EXPECT_EQ(tape.Find(tape.Find(0, "a"), "a"), JsonTape::kNone);
  EXPECT_EQ(tape.Kind(JsonTape::kNone), JsonKind::kAbsent);
  EXPECT_EQ(tape.CountChildren(0), 5U);
}

TEST(JsonTapeTest, PointsIntoTheDocument) {
  const std::string json = R"({"a":"text","n":-1.5})";
  JsonTape tape(kDepth);
  ASSERT_EQ(tape.Parse(json, 0), JsonStatus::kOk);
  const std::string_view text = tape.Token(tape.Find(0, "a")).text;
  EXPECT_EQ(text.data(), json.data() + 6);
  EXPECT_EQ(text, "text");
}

TEST(JsonTapeTest, IsReusableAfterAnError) {
  JsonTape tape(kDepth);
  const std::string bad = R"({"a":[1,2)";
  const std::string good = R"({"a":7})";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(tape.Parse(bad, 0), JsonStatus::kMalformed);
    ASSERT_EQ(tape.Parse(good, 0), JsonStatus::kOk);
    EXPECT_EQ(tape.Token(tape.Find(0, "a")).text, "7");
  }
}

TEST(JsonTapeTest, IsNotMisledByWhatFollowsTheValue) {
  // The bytes behind the value are readable (slack), and look like its continuation.
  const std::vector<std::string> incomplete = {R"({"a":{"b":1})", R"({"a":[1])", R"([[1])",
                                               R"({"a":[{})",     R"({"a":1)",   R"({"a":"b)"};
  for (const std::string& json : incomplete) {
    for (const std::string tail : {"}", "]", "}}", "]}", "\"}", ",\"x\":1}", ":1}", "1}"}) {
      std::string memory = json + tail;
      memory.resize(json.size() + 64, '}');
      JsonTape tape(kDepth);
      EXPECT_EQ(tape.Parse(std::string_view(memory).substr(0, json.size()), 64),
                JsonStatus::kMalformed)
          << json << " followed by " << tail;
    }
  }
  const std::string whole = R"({"a":{"b":[1]}})";
  for (const char next : {'}', ']', '{', '"', ',', ' ', '1', '\0'}) {
    std::string memory = whole;
    memory.resize(whole.size() + 64, next);
    JsonTape tape(kDepth);
    EXPECT_EQ(tape.Parse(std::string_view(memory).substr(0, whole.size()), 64), JsonStatus::kOk)
        << next;
  }
}

TEST(JsonTapeTest, NeverReadsIntoAnUnreadablePage) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const memory =
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char* const begin = static_cast<char*>(memory);
  ASSERT_EQ(mprotect(begin + page, page, PROT_NONE), 0);
  const std::string json = R"({"a":"a text of some length","b":[1,2,3]})";
  JsonTape tape(kDepth);
  for (size_t gap = 0; gap <= 130; ++gap) {
    char* const at = begin + page - gap - json.size();
    std::memcpy(at, json.data(), json.size());
    ASSERT_EQ(tape.Parse({at, json.size()}, 0), JsonStatus::kOk) << gap;
    EXPECT_EQ(tape.Token(tape.Find(0, "a")).text, "a text of some length");
  }
  EXPECT_EQ(munmap(memory, 2 * page), 0);
}

TEST(JsonTapeTest, BoundsTheNumberOfValues) {
  std::string json = "[";
  json.reserve(2 * JsonTape::kMaxValues + 8);
  for (size_t i = 0; i + 2 < JsonTape::kMaxValues; ++i) json += "0,";
  EXPECT_EQ(Parse(json + "0]"), JsonStatus::kOk);
  EXPECT_EQ(Parse(json + "0,0]"), JsonStatus::kTooManyValues);
}

TEST(JsonTapeTest, ReadsLongDocumentsAndGoesBackToShortOnes) {
  std::string json = "[0";
  for (int i = 1; i < 50'000; ++i) json += "," + std::to_string(i);
  json += "]";
  JsonTape tape(kDepth);
  ASSERT_EQ(tape.Parse(json, 0), JsonStatus::kOk);
  EXPECT_EQ(tape.CountChildren(0), 50'000U);
  const std::string shorter = "[1]";
  ASSERT_EQ(tape.Parse(shorter, 0), JsonStatus::kOk);
  EXPECT_EQ(tape.CountChildren(0), 1U);
}

}  // namespace
}  // namespace caracal::pipeline
