#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

/// Single-writer metric cells: a plain add for the thread that owns them, readable by any thread.
/// Probes are structs of cells; observe/ exports them at scrape time.
namespace caracal::pipeline {

/// A count that only grows. One writer; any thread reads.
class Counter {
 public:
  void Add(uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
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

/// Durations in microseconds on a factor-2 grid: bucket i holds values <= 500 µs × 2^i, the last
/// one everything above 32.768 s. One writer; any thread reads (a scrape may be torn by one event).
class DurationHistogram {
 public:
  static constexpr size_t kBuckets = 17;

  static constexpr int64_t UpperBoundMicros(size_t bucket) { return int64_t{500} << bucket; }

  void Observe(int64_t micros, uint64_t times = 1) {
    const uint64_t units = micros <= 500 ? 0 : static_cast<uint64_t>(micros - 1) / 500;
    const size_t bucket = units == 0 ? 0 : static_cast<size_t>(std::bit_width(units));
    Cell& cell = cells_[bucket < kBuckets ? bucket : kBuckets];
    cell.Add(times);
    sum_micros_.Add(micros > 0 ? static_cast<uint64_t>(micros) * times : 0);
  }
  /// Not cumulative; index kBuckets is the overflow.
  uint64_t count(size_t bucket) const { return cells_[bucket].value(); }
  uint64_t sum_micros() const { return sum_micros_.value(); }

 private:
  using Cell = Counter;
  std::array<Cell, kBuckets + 1> cells_;
  Counter sum_micros_;
};

}  // namespace caracal::pipeline
