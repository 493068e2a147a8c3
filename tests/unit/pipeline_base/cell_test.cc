#include "pipeline/base/cell.h"

#include <gtest/gtest.h>

#include <thread>

namespace caracal::pipeline {
namespace {

TEST(DurationHistogramTest, PutsEachDurationUnderTheFirstBoundThatHoldsIt) {
  for (const int64_t micros :
       {int64_t{-5}, int64_t{0}, int64_t{1}, int64_t{500}, int64_t{501}, int64_t{1000},
        int64_t{1001}, int64_t{32'768'000}, int64_t{32'768'001}, int64_t{90'000'000'000}}) {
    DurationHistogram histogram;
    histogram.Observe(micros);
    size_t expected = 0;
    while (expected < DurationHistogram::kBuckets &&
           micros > histogram.UpperBoundMicros(expected)) {
      ++expected;
    }
    for (size_t bucket = 0; bucket <= DurationHistogram::kBuckets; ++bucket) {
      EXPECT_EQ(histogram.count(bucket), bucket == expected ? 1U : 0U) << micros;
    }
  }
}

TEST(DurationHistogramTest, BeginsWhereItIsToldTo) {
  DurationHistogram histogram(2);
  EXPECT_EQ(histogram.UpperBoundMicros(0), 2);
  EXPECT_EQ(histogram.UpperBoundMicros(16), 131'072);
  histogram.Observe(3);
  histogram.Observe(131'073);
  EXPECT_EQ(histogram.count(1), 1U);
  EXPECT_EQ(histogram.count(DurationHistogram::kBuckets), 1U);
}

TEST(DurationHistogramTest, LosesNothingOfSeveralWriters) {
  constexpr int kTimes = 20'000;
  DurationHistogram histogram;
  const auto write = [&histogram] {
    for (int i = 0; i < kTimes; ++i) histogram.ObserveShared(700);
  };
  std::thread other(write);
  write();
  other.join();
  EXPECT_EQ(histogram.count(1), 2U * kTimes);
  EXPECT_EQ(histogram.sum_micros(), 2U * 700 * kTimes);
}

TEST(DurationHistogramTest, SumsWithoutNegatives) {
  DurationHistogram histogram;
  histogram.Observe(-7);
  histogram.Observe(10, 3);
  EXPECT_EQ(histogram.sum_micros(), 30U);
}

}  // namespace
}  // namespace caracal::pipeline
