#include "pipeline/base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace caracal::pipeline {
namespace {

class CapturingSink : public LogSink {
 public:
  void Write(LogSeverity, std::string_view, std::string_view message,
             std::initializer_list<LogField> fields, uint64_t suppressed) override {
    messages.emplace_back(message);
    field_count = fields.size();
    last_suppressed = suppressed;
  }
  std::vector<std::string> messages;
  size_t field_count = 0;
  uint64_t last_suppressed = 0;
};

class LogTest : public ::testing::Test {
 protected:
  LogTest() { SetLogSink(&sink_); }
  ~LogTest() override { SetLogSink(nullptr); }
  CapturingSink sink_;
};

TEST_F(LogTest, PassesFieldsToTheSink) {
  LOG(kInfo, "test", "hello", {{"topic", "t"}, {"partition", 3}});
  EXPECT_EQ(sink_.messages, std::vector<std::string>{"hello"});
  EXPECT_EQ(sink_.field_count, 2U);
}

TEST_F(LogTest, LimitsOneCallSiteButNotAnother) {
  for (int i = 0; i < 50; ++i) LOG(kWarning, "test", "noisy");
  EXPECT_EQ(sink_.messages.size(), 5U);
  LOG(kWarning, "test", "quiet");
  EXPECT_EQ(sink_.messages.back(), "quiet");
}

TEST_F(LogTest, DropsEverythingWithoutASink) {
  SetLogSink(nullptr);
  LOG(kError, "test", "nobody hears");
  EXPECT_TRUE(sink_.messages.empty());
}

}  // namespace
}  // namespace caracal::pipeline
