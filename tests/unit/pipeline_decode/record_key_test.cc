#include "pipeline/decode/record_key.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

TEST(MatchRecordKeyTest, ReadsTheShapesConnectorsWrite) {
  EXPECT_EQ(MatchRecordKey(R"({"user_id":1042})", "1042"), KeyMatch::kMatch);
  EXPECT_EQ(MatchRecordKey(R"({ "user_id" : "1042" })", "1042"), KeyMatch::kMatch);
  EXPECT_EQ(MatchRecordKey(R"({"schema":{"type":"struct"},"payload":{"user_id":1042}})", "1042"),
            KeyMatch::kMatch);
  EXPECT_EQ(MatchRecordKey("1042", "1042"), KeyMatch::kMatch);
  EXPECT_EQ(MatchRecordKey(R"("acc-7")", "acc-7"), KeyMatch::kMatch);
}

TEST(MatchRecordKeyTest, TellsAnotherKeyFromAnUnreadableOne) {
  EXPECT_EQ(MatchRecordKey(R"({"id":5})", "1042"), KeyMatch::kMismatch);
  EXPECT_EQ(MatchRecordKey(R"({"user_id":null})", "1042"), KeyMatch::kMismatch);
  EXPECT_EQ(MatchRecordKey("7", "1042"), KeyMatch::kMismatch);
  EXPECT_EQ(MatchRecordKey(std::string_view(), "1042"), KeyMatch::kMismatch);
  EXPECT_EQ(MatchRecordKey(R"({"user_id":1042,"id":5})", "1042"), KeyMatch::kOpaque);
  EXPECT_EQ(MatchRecordKey(std::string_view("\0\0\0\0\1x", 6), "1042"), KeyMatch::kOpaque);
  EXPECT_EQ(MatchRecordKey("", "1042"), KeyMatch::kOpaque);
  EXPECT_EQ(MatchRecordKey("{", "1042"), KeyMatch::kOpaque);
}

}  // namespace
}  // namespace caracal::pipeline
