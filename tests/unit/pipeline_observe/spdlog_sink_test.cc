#include "pipeline/observe/spdlog_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/pipeline_observe/pipe.h"

namespace caracal::pipeline {
namespace {

class FixedClock final : public Clock {
 public:
  int64_t MonotonicMicros() const override { return 0; }
  int64_t WallMillis() const override { return 1'772'622'127'512; }
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class SpdlogSinkTest : public testing::Test {
 protected:
  std::unique_ptr<SpdlogSink> NewSink() {
    options_.fd = pipe_.write_end();
    return std::make_unique<SpdlogSink>(clock_, options_);
  }

  Pipe pipe_;
  FixedClock clock_;
  LogSinkOptions options_;
};

TEST_F(SpdlogSinkTest, WritesJsonLinesWhenNobodyWatches) {
  auto sink = NewSink();
  sink->Write(LogSeverity::kInfo, "source", "partition opened", {{"partition", 3}}, 0);
  sink.reset();
  EXPECT_EQ(pipe_.ReadRest(),
            R"({"ts":"2026-03-04T11:02:07.512Z","level":"info","msg":"partition opened",)"
            R"("component":"source","partition":3})"
            "\n");
}

TEST_F(SpdlogSinkTest, WritesTextForPeopleWhenAsked) {
  options_.format = LogFormat::kHuman;
  auto sink = NewSink();
  sink->Write(LogSeverity::kWarning, "source", "partition lost", {}, 2);
  sink.reset();
  EXPECT_EQ(pipe_.ReadRest(),
            "2026-03-04T11:02:07.512Z WARN  source: partition lost suppressed=2\n");
}

TEST_F(SpdlogSinkTest, LeavesOutAndDoesNotCountLowerSeverities) {
  options_.min_severity = LogSeverity::kWarning;
  auto sink = NewSink();
  sink->Write(LogSeverity::kDebug, "a", "no", {}, 0);
  sink->Write(LogSeverity::kInfo, "a", "no", {}, 0);
  sink->Write(LogSeverity::kWarning, "a", "yes", {}, 0);
  sink->Write(LogSeverity::kWarning, "a", "yes", {}, 0);
  EXPECT_EQ(sink->lines(LogSeverity::kDebug), 0u);
  EXPECT_EQ(sink->lines(LogSeverity::kInfo), 0u);
  EXPECT_EQ(sink->lines(LogSeverity::kWarning), 2u);
  EXPECT_EQ(sink->lines(LogSeverity::kError), 0u);
  sink.reset();
  EXPECT_EQ(Lines(pipe_.ReadRest()).size(), 2u);
}

TEST_F(SpdlogSinkTest, HasWrittenAnErrorWhenWriteReturns) {
  options_.error_flush_timeout = absl::Minutes(1);
  auto sink = NewSink();
  sink->Write(LogSeverity::kError, "commit", "fatal", {}, 0);
  // Read does not wait here: the line is in the pipe already.
  const std::string line =
      R"({"ts":"2026-03-04T11:02:07.512Z","level":"error","msg":"fatal","component":"commit"})"
      "\n";
  EXPECT_EQ(pipe_.Read(line.size()), line);
  EXPECT_TRUE(sink->Flush(absl::ZeroDuration()));
}

TEST_F(SpdlogSinkTest, DropsTheOldestLinesWhenTheReaderStops) {
  constexpr int kLines = 200;
  options_.queue_lines = 16;
  const size_t filled = pipe_.Fill();
  auto sink = NewSink();
  for (int i = 0; i < kLines; ++i) {
    sink->Write(LogSeverity::kInfo, "test", "line", {{"i", i}}, 0);
  }
  EXPECT_FALSE(sink->Flush(absl::Milliseconds(1))) << "the pipe takes nothing";
  EXPECT_EQ(pipe_.Read(filled).size(), filled);
  EXPECT_TRUE(sink->Flush(absl::Minutes(1)));
  const uint64_t dropped = sink->dropped_lines();
  sink.reset();
  const std::vector<std::string> lines = Lines(pipe_.ReadRest());
  EXPECT_GE(dropped, uint64_t{kLines} - 16 - 1) << "the queue, and the line being written";
  EXPECT_EQ(lines.size() + dropped, uint64_t{kLines});
  EXPECT_THAT(lines.back(), testing::HasSubstr("\"i\":199"));
}

TEST_F(SpdlogSinkTest, EndsInTimeWhenTheReaderNeverComesBack) {
  options_.shutdown_timeout = absl::Milliseconds(1);
  options_.error_flush_timeout = absl::Milliseconds(1);
  const size_t filled = pipe_.Fill();
  auto sink = NewSink();
  for (int i = 0; i < 100; ++i) sink->Write(LogSeverity::kInfo, "test", "line", {}, 0);
  sink->Write(LogSeverity::kError, "test", "line", {}, 0);
  sink.reset();
  EXPECT_EQ(pipe_.ReadRest().size(), filled) << "no line had room";
}

TEST_F(SpdlogSinkTest, CountsLinesTheDescriptorRefuses) {
  options_.fd = -1;
  SpdlogSink sink(clock_, options_);
  sink.Write(LogSeverity::kInfo, "test", "line", {}, 0);
  EXPECT_TRUE(sink.Flush(absl::Minutes(1)));
  EXPECT_EQ(sink.dropped_lines(), 1u);
  EXPECT_EQ(sink.lines(LogSeverity::kInfo), 1u);
}

TEST_F(SpdlogSinkTest, KeepsLinesOfManyThreadsWhole) {
  constexpr int kThreads = 4;
  constexpr int kLinesEach = 100;
  auto sink = NewSink();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&sink, thread] {
      for (int i = 0; i < kLinesEach; ++i) {
        sink->Write(LogSeverity::kInfo, "test", "line", {{"thread", thread}, {"i", i}}, 0);
      }
    });
  }
  std::string text;
  std::thread reader([&] {
    for (std::string part; !(part = pipe_.Read(1)).empty();) text += part;
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sink->lines(LogSeverity::kInfo), uint64_t{kThreads * kLinesEach});
  EXPECT_EQ(sink->dropped_lines(), 0u);
  sink.reset();
  pipe_.CloseWriteEnd();
  reader.join();

  const std::vector<std::string> lines = Lines(text);
  ASSERT_EQ(lines.size(), size_t{kThreads * kLinesEach});
  std::vector<int64_t> next(kThreads, 0);
  for (const std::string& line : lines) {
    boost::system::error_code error;
    const boost::json::value json = boost::json::parse(line, error);
    ASSERT_FALSE(error) << line;
    const auto thread = static_cast<size_t>(json.at("thread").as_int64());
    EXPECT_EQ(json.at("i").as_int64(), next[thread]++) << "a thread's lines keep their order";
  }
}

TEST_F(SpdlogSinkTest, TakesTheLinesOfALogSite) {
  auto sink = NewSink();
  SetLogSink(sink.get());
  LogSite site;
  site.Write(LogSeverity::kInfo, "test", "hello", {{"answer", 42}});
  SetLogSink(nullptr);
  sink.reset();
  EXPECT_THAT(pipe_.ReadRest(),
              testing::HasSubstr(R"("msg":"hello","component":"test","answer":42)"));
}

}  // namespace
}  // namespace caracal::pipeline
