#include "pipeline/observe/log_line.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>
#include <string>
#include <string_view>

namespace caracal::pipeline {
namespace {

constexpr int64_t kTime = 1'772'622'127'512;

TEST(JsonLogLineTest, WritesFlatKeysInOrder) {
  EXPECT_EQ(JsonLogLine({kTime,
                         LogSeverity::kInfo,
                         "source",
                         "partition opened",
                         {{"topic", "bank.public.transactions"}, {"partition", 3}},
                         0}),
            R"({"ts":"2026-03-04T11:02:07.512Z","level":"info","msg":"partition opened",)"
            R"("component":"source","topic":"bank.public.transactions","partition":3})");
}

TEST(JsonLogLineTest, SaysHowManyLinesWereLeftOut) {
  EXPECT_EQ(JsonLogLine({kTime, LogSeverity::kWarning, "decode", "rejected", {}, 12}),
            R"({"ts":"2026-03-04T11:02:07.512Z","level":"warning","msg":"rejected",)"
            R"("component":"decode","suppressed":12})");
}

TEST(JsonLogLineTest, StaysOneLineOfValidJsonForAnyBytes) {
  const auto seed = static_cast<uint32_t>(testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::minstd_rand random(seed + 1);
  for (int round = 0; round < 200; ++round) {
    std::string bytes(random() % 30, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 256);
    const std::string line =
        JsonLogLine({kTime, LogSeverity::kError, bytes, bytes, {{"value", bytes}}, 0});
    boost::system::error_code error;
    const boost::json::value json = boost::json::parse(line, error);
    ASSERT_FALSE(error) << error.message() << "\n" << line;
    ASSERT_EQ(json.at("msg"), json.at("value"));
    ASSERT_EQ(line.find('\n'), std::string::npos);
  }
}

TEST(HumanLogLineTest, ReadsLikeASentence) {
  EXPECT_EQ(HumanLogLine({kTime,
                          LogSeverity::kInfo,
                          "source",
                          "partition \"3\" opened",
                          {{"topic", "transactions"}, {"partition", -3}},
                          7}),
            "2026-03-04T11:02:07.512Z INFO  source: partition \"3\" opened topic=transactions "
            "partition=-3 suppressed=7");
}

TEST(HumanLogLineTest, QuotesValuesThatAreNotOneWord) {
  EXPECT_EQ(HumanLogLine({kTime,
                          LogSeverity::kError,
                          "kafka",
                          "failed",
                          {{"error", "Broker: Not available"}, {"a", "b=c"}, {"empty", ""}},
                          0}),
            "2026-03-04T11:02:07.512Z ERROR kafka: failed error=\"Broker: Not available\" "
            "a=\"b=c\" empty=\"\"");
}

TEST(HumanLogLineTest, SendsNoControlsToTheTerminal) {
  const std::string line = HumanLogLine(
      {kTime, LogSeverity::kWarning, "decode", "\x1B]0;owned\a", {{"value", "\x1B[2J\n"}}, 0});
  EXPECT_EQ(line, "2026-03-04T11:02:07.512Z WARN  decode:  ]0;owned  value=\"\\u001b[2J\\n\"");
}

TEST(LogSeverityNameTest, NamesEveryLevel) {
  EXPECT_EQ(LogSeverityName(LogSeverity::kDebug), "debug");
  EXPECT_EQ(LogSeverityName(LogSeverity::kInfo), "info");
  EXPECT_EQ(LogSeverityName(LogSeverity::kWarning), "warning");
  EXPECT_EQ(LogSeverityName(LogSeverity::kError), "error");
}

}  // namespace
}  // namespace caracal::pipeline
