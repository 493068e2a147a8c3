#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

/// Metric cells: a plain add for the one thread that writes them, readable by any thread. A cell
/// may have several writers if all of them use its ...Shared function, which costs a locked add.
/// Probes are structs of cells; observe/ exports them at scrape time.
namespace caracal::pipeline {

/// A count that only grows. One writer; any thread reads.
class Counter {
 public:
  void Add(uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void AddShared(uint64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// A level. One writer; any thread reads.
class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

/// Durations in microseconds on a factor-2 grid: bucket i holds values <= first bound × 2^i, the
/// last one everything above (32.768 s for the usual first bound). Any thread reads (a scrape may
/// be torn by one event).
class DurationHistogram {
 public:
  static constexpr size_t kBuckets = 17;
  static constexpr int64_t kUsualFirstBoundMicros = 500;

  DurationHistogram() = default;
  explicit DurationHistogram(int64_t first_bound_micros) : first_bound_(first_bound_micros) {}

  int64_t UpperBoundMicros(size_t bucket) const { return first_bound_ << bucket; }

  void Observe(int64_t micros, uint64_t times = 1) {
    cells_[BucketOf(micros)].Add(times);
    sum_micros_.Add(micros > 0 ? static_cast<uint64_t>(micros) * times : 0);
  }
  void ObserveShared(int64_t micros) {
    cells_[BucketOf(micros)].AddShared(1);
    sum_micros_.AddShared(micros > 0 ? static_cast<uint64_t>(micros) : 0);
  }
  /// Not cumulative; index kBuckets is the overflow.
  uint64_t count(size_t bucket) const { return cells_[bucket].value(); }
  uint64_t sum_micros() const { return sum_micros_.value(); }

 private:
  size_t BucketOf(int64_t micros) const {
    const uint64_t units =
        micros <= first_bound_ ? 0 : static_cast<uint64_t>((micros - 1) / first_bound_);
    const auto bucket = static_cast<size_t>(std::bit_width(units));
    return bucket < kBuckets ? bucket : kBuckets;
  }

  const int64_t first_bound_ = kUsualFirstBoundMicros;
  std::array<Counter, kBuckets + 1> cells_;
  Counter sum_micros_;
};

}  // namespace caracal::pipeline
