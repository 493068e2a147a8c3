#include "pipeline/observe/metric_registry.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/observe/process_collector.h"

namespace caracal::pipeline {
namespace {

using enum MetricType;
using testing::HasSubstr;
using testing::Not;

MetricFamilySpec Consumed() {
  return {"caracal_records_consumed_total", "Records read.", kCounter, {"topic"}};
}

TEST(MetricRegistryTest, WritesACounterAsPrometheusReadsIt) {
  MetricRegistry registry;
  Counter cell;
  cell.Add(41);
  const auto sample = registry.Declare(Consumed()).Add({"bank.public.transactions"}, cell);
  cell.Add(1);
  EXPECT_EQ(registry.Serialize(),
            "# HELP caracal_records_consumed_total Records read.\n"
            "# TYPE caracal_records_consumed_total counter\n"
            "caracal_records_consumed_total{topic=\"bank.public.transactions\"} 42\n");
}

TEST(MetricRegistryTest, WritesLargeCountersExactly) {
  MetricRegistry registry;
  Counter cell;
  cell.Add(9'007'199'254'740'991);
  const auto sample = registry.Declare(Consumed()).Add({"t"}, cell);
  EXPECT_THAT(registry.Serialize(), HasSubstr("{topic=\"t\"} 9007199254740991\n"));
}

TEST(MetricRegistryTest, WritesCellsInTheBaseUnitOfTheFamily) {
  MetricRegistry registry;
  Counter waited;
  waited.Add(1'500'000);
  Gauge newest;
  newest.Set(-250);
  const auto waited_sample =
      registry.Declare({"caracal_backpressure_seconds_total", "Waited.", kCounter})
          .Add({}, waited, CellUnit::kMicros);
  const auto newest_sample =
      registry.Declare({"caracal_watermark_timestamp_seconds", "Newest.", kGauge})
          .Add({}, newest, CellUnit::kMillis);
  EXPECT_THAT(registry.Serialize(), HasSubstr("\ncaracal_backpressure_seconds_total 1.5\n"));
  EXPECT_THAT(registry.Serialize(), HasSubstr("\ncaracal_watermark_timestamp_seconds -0.25\n"));
}

TEST(MetricRegistryTest, WritesAHistogramInSeconds) {
  MetricRegistry registry;
  DurationHistogram cell;
  cell.Observe(500);
  cell.Observe(501);
  cell.Observe(1'000, 2);
  cell.Observe(60'000'000);
  const auto sample =
      registry.Declare({"caracal_commit_duration_seconds", "Commits.", kHistogram, {"stage"}})
          .Add({"commit"}, cell);
  const std::string text = registry.Serialize();
  EXPECT_THAT(text, HasSubstr("# TYPE caracal_commit_duration_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_bucket{stage=\"commit\",le=\"0.0005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_bucket{stage=\"commit\",le=\"0.001\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_bucket{stage=\"commit\",le=\"32.768\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_bucket{stage=\"commit\",le=\"+Inf\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_count{stage=\"commit\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_sum{stage=\"commit\"} 60.003001\n"));
}

TEST(MetricRegistryTest, AddsUpTheCellsOfSeveralWorkers) {
  MetricRegistry registry;
  MetricFamily& family = registry.Declare(Consumed());
  Counter first;
  Counter second;
  first.Add(2);
  second.Add(3);
  const auto first_sample = family.Add({"t"}, first);
  {
    const auto second_sample = family.Add({"t"}, second);
    EXPECT_THAT(registry.Serialize(), HasSubstr("{topic=\"t\"} 5\n"));
  }
  EXPECT_THAT(registry.Serialize(), HasSubstr("{topic=\"t\"} 2\n"));
}

TEST(MetricRegistryTest, AddsUpHistogramsBucketByBucket) {
  MetricRegistry registry;
  MetricFamily& family =
      registry.Declare({"caracal_commit_duration_seconds", "Commits.", kHistogram});
  DurationHistogram first;
  DurationHistogram second;
  first.Observe(100);
  second.Observe(100);
  second.Observe(900);
  const auto first_sample = family.Add({}, first);
  const auto second_sample = family.Add({}, second);
  EXPECT_THAT(registry.Serialize(), HasSubstr("_bucket{le=\"0.0005\"} 2\n"));
  EXPECT_THAT(registry.Serialize(), HasSubstr("_seconds_count 3\n"));
}

TEST(MetricRegistryTest, ReadsCallbacksAtEachScrape) {
  MetricRegistry registry;
  double depth = 1;
  const auto sample =
      registry.Declare({"caracal_queue_depth", "Depth.", kGauge}).Add({}, [&] { return depth; });
  EXPECT_THAT(registry.Serialize(), HasSubstr("\ncaracal_queue_depth 1\n"));
  depth = 2.5;
  EXPECT_THAT(registry.Serialize(), HasSubstr("\ncaracal_queue_depth 2.5\n"));
}

TEST(MetricRegistryTest, TakesWhateverASourceWrites) {
  MetricRegistry registry;
  std::vector<std::string> brokers = {"2", "1"};
  const auto source =
      registry.Declare({"caracal_kafka_broker_rtt_seconds", "Round trip.", kGauge, {"broker"}})
          .AddSource([&](SampleWriter& writer) {
            for (const std::string& broker : brokers) writer.Write({broker}, 0.5);
          });
  EXPECT_THAT(registry.Serialize(), HasSubstr("{broker=\"1\"} 0.5\n"
                                              "caracal_kafka_broker_rtt_seconds{broker=\"2\"}"));
  brokers.clear();
  EXPECT_EQ(registry.Serialize(), "");
}

TEST(MetricRegistryTest, LeavesOutFamiliesWithoutSamples) {
  MetricRegistry registry;
  registry.Declare(Consumed());
  EXPECT_EQ(registry.Serialize(), "");
}

TEST(MetricRegistryTest, FollowsPartitionsThatComeAndGo) {
  MetricRegistry registry;
  MetricFamily& family =
      registry.Declare({"caracal_kafka_lag_records", "Lag.", kGauge, {"topic", "partition"}});
  Gauge lag;
  lag.Set(7);
  MetricRegistration kept = family.Add({"t", "1"}, lag);
  MetricRegistration gone = family.Add({"t", "0"}, lag);
  EXPECT_THAT(registry.Serialize(), HasSubstr("{topic=\"t\",partition=\"0\"} 7\n"));
  gone.Remove();
  EXPECT_THAT(registry.Serialize(), Not(HasSubstr("partition=\"0\"")));
  kept = family.Add({"t", "2"}, lag);
  EXPECT_THAT(registry.Serialize(), Not(HasSubstr("partition=\"1\"")));
  EXPECT_THAT(registry.Serialize(), HasSubstr("{topic=\"t\",partition=\"2\"} 7\n"));
  MetricRegistration moved = std::move(kept);
  EXPECT_THAT(registry.Serialize(), HasSubstr("partition=\"2\""));
}

TEST(MetricRegistryTest, EscapesLabelValues) {
  MetricRegistry registry;
  Counter cell;
  const auto sample = registry.Declare(Consumed()).Add({"a\"b\\c\nd\xFF"}, cell);
  EXPECT_THAT(registry.Serialize(), HasSubstr("{topic=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\"} 0\n"));
}

TEST(MetricRegistryTest, ScrapesWhileCellsAndSamplesChange) {
  MetricRegistry registry;
  MetricFamily& family = registry.Declare(Consumed());
  Counter cell;
  const auto sample = family.Add({"kept"}, cell);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done.load()) cell.Add(1);
  });
  std::thread owner([&] {
    while (!done.load()) {
      Counter short_lived;
      const auto passing = family.Add({"passing"}, short_lived);
    }
  });
  for (int i = 0; i < 200; ++i) EXPECT_THAT(registry.Serialize(), HasSubstr("topic=\"kept\""));
  done.store(true);
  writer.join();
  owner.join();
}

TEST(MetricRegistryDeathTest, StopsOnBugsOfOurs) {
  MetricRegistry registry;
  EXPECT_DEATH(registry.Declare({"caracal_lag_ms", "Lag.", kGauge}), "'ms' is no base unit");
  MetricFamily& family = registry.Declare(Consumed());
  EXPECT_DEATH(registry.Declare(Consumed()), "inserted");
  Counter counter;
  Gauge gauge;
  EXPECT_DEATH((void)family.Add({}, counter), "labels.size");
  EXPECT_DEATH((void)family.Add({"t"}, gauge), "kGauge");
}

/// Exit status of promtool over the text; -1 when it cannot be run.
int PromtoolStatus(const std::string& text) {
  FILE* promtool = popen("promtool check metrics", "w");
  if (promtool == nullptr) return -1;
  const size_t written = std::fwrite(text.data(), 1, text.size(), promtool);
  const int status = pclose(promtool);
  if (written != text.size() || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(MetricRegistryTest, PassesPromtool) {
  if (std::system("command -v promtool > /dev/null") != 0) {
    GTEST_SKIP() << "promtool is not installed (Debian package prometheus)";
  }
  MetricRegistry registry;
  const ProcessCollector process(registry);
  Counter counter;
  Gauge gauge;
  DurationHistogram histogram;
  histogram.Observe(700);
  const auto samples = {
      registry.Declare(Consumed()).Add({"bank.\"public\".transactions"}, counter),
      registry.Declare({"caracal_queue_depth", "Batches waiting.", kGauge, {"stage"}})
          .Add({"execute"}, gauge),
      registry.Declare({"caracal_commit_duration_seconds", "Commits.", kHistogram})
          .Add({}, histogram),
      registry.Declare({"caracal_build_info", "Version.", kGauge, {"version"}}).Add({"0.1.0"}, [] {
        return 1.0;
      })};
  EXPECT_EQ(samples.size(), 4u);
  EXPECT_EQ(PromtoolStatus(registry.Serialize()), 0) << registry.Serialize();
  EXPECT_NE(PromtoolStatus("caracal_lag_ms 1\n"), 0) << "promtool finds what it should";
}

}  // namespace
}  // namespace caracal::pipeline
