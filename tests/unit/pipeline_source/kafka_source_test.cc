#include "pipeline/source/kafka_source.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace caracal::pipeline {
namespace {

/// A source that has not joined: nothing ever comes.
std::unique_ptr<KafkaSource> SilentSource() {
  SourceOptions options;
  options.connection.bootstrap_servers = "127.0.0.1:9";
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::Create(options, nullptr);
  EXPECT_TRUE(source.ok()) << source.status();
  return std::move(*source);
}

// librdkafka counts in milliseconds. What is left of a pause between two commits is less than that,
// and whoever waits for it must not turn in circles until it is over.
TEST(KafkaSourceTest, WaitsOutWhatIsLessThanAMillisecond) {
  const std::unique_ptr<KafkaSource> source = SilentSource();
  constexpr auto kWait = std::chrono::microseconds(400);
  PollResult result;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(source->Poll(absl::FromChrono(kWait), /*want_records=*/true, result).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - start, kWait);
  EXPECT_EQ(result.records, nullptr);
}

// A result that comes between two polls is taken at once, not when the next record comes.
TEST(KafkaSourceTest, AWakeUpBeforeThePollEndsIt) {
  const std::unique_ptr<KafkaSource> source = SilentSource();
  source->Wake();
  PollResult result;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(source->Poll(absl::Seconds(30), /*want_records=*/true, result).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace caracal::pipeline
