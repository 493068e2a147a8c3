#include "pipeline/observe/metric_family_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace caracal::pipeline {
namespace {

using enum MetricType;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Problem(std::string name, MetricType type, std::string help = "What it counts.",
                    std::vector<std::string> labels = {}) {
  return MetricSpecProblem({std::move(name), std::move(help), type, std::move(labels)});
}

TEST(MetricSpecProblemTest, AcceptsTheNamesOfTheCatalogue) {
  EXPECT_THAT(Problem("caracal_records_consumed_total", kCounter), IsEmpty());
  EXPECT_THAT(Problem("caracal_end_to_end_latency_seconds", kHistogram), IsEmpty());
  EXPECT_THAT(Problem("caracal_backpressure_seconds_total", kCounter), IsEmpty());
  EXPECT_THAT(Problem("caracal_build_info", kGauge, "Version.", {"version", "revision"}),
              IsEmpty());
  EXPECT_THAT(Problem("caracal_kafka_lag_records", kGauge, "Lag.", {"topic", "partition"}),
              IsEmpty());
  EXPECT_THAT(Problem("process_start_time_seconds", kGauge), IsEmpty());
}

TEST(MetricSpecProblemTest, WantsOurPrefixAndLowerCase) {
  EXPECT_THAT(Problem("records_total", kCounter), HasSubstr("prefix"));
  EXPECT_THAT(Problem("caracal_recordsConsumed_total", kCounter), HasSubstr("lower case"));
  EXPECT_THAT(Problem("caracal_records__total", kCounter), HasSubstr("single underscores"));
  EXPECT_THAT(Problem("caracal_lag_", kGauge), HasSubstr("underscores"));
}

TEST(MetricSpecProblemTest, KeepsTotalForCounters) {
  EXPECT_THAT(Problem("caracal_records", kCounter), HasSubstr("_total"));
  EXPECT_THAT(Problem("caracal_partitions_total", kGauge), HasSubstr("reserved"));
}

TEST(MetricSpecProblemTest, KeepsTheSuffixesOfHistograms) {
  EXPECT_THAT(Problem("caracal_records_count", kGauge), HasSubstr("'_count' is reserved"));
  EXPECT_THAT(Problem("caracal_latency_sum", kGauge), HasSubstr("'_sum' is reserved"));
  EXPECT_THAT(Problem("caracal_latency_bucket", kGauge), HasSubstr("'_bucket' is reserved"));
  EXPECT_THAT(Problem("caracal_latency", kHistogram), HasSubstr("_seconds"));
}

TEST(MetricSpecProblemTest, WantsBaseUnits) {
  EXPECT_THAT(Problem("caracal_latency_ms", kGauge), HasSubstr("'ms'"));
  EXPECT_THAT(Problem("caracal_state_kilobytes", kGauge), HasSubstr("'kilobytes'"));
  EXPECT_THAT(Problem("caracal_cpu_percent", kGauge), HasSubstr("'percent'"));
  EXPECT_THAT(Problem("caracal_minutes_total", kCounter), HasSubstr("'minutes'"));
}

TEST(MetricSpecProblemTest, WantsOneLineOfHelp) {
  EXPECT_THAT(Problem("caracal_lag_records", kGauge, ""), HasSubstr("help"));
  EXPECT_THAT(Problem("caracal_lag_records", kGauge, "two\nlines"), HasSubstr("one line"));
}

TEST(MetricSpecProblemTest, ChecksLabelNames) {
  EXPECT_THAT(Problem("caracal_lag_records", kGauge, "Lag.", {"le"}), HasSubstr("'le'"));
  EXPECT_THAT(Problem("caracal_lag_records", kGauge, "Lag.", {"Topic"}), HasSubstr("'Topic'"));
  EXPECT_THAT(Problem("caracal_lag_records", kGauge, "Lag.", {"__name"}), HasSubstr("'__name'"));
  EXPECT_THAT(Problem("caracal_lag_records", kGauge, "Lag.", {"topic", "topic"}),
              HasSubstr("twice"));
}

TEST(MetricSpecProblemTest, NamesTheMetric) {
  EXPECT_THAT(Problem("caracal_records", kCounter), HasSubstr("metric 'caracal_records': "));
}

}  // namespace
}  // namespace caracal::pipeline
