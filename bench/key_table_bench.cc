// Cost of finding and touching a key's record, as the evaluator does it: in mini-batches, with both
// steps of the look-up prefetched, on huge pages. For comparison: the same without prefetching,
// absl::flat_hash_map without prefetching, and what the machine's memory allows, one random cache
// line of a gigabyte of huge pages changed per item (a look-up that misses all caches changes or
// reads about three: index line and record). Counters: ns per event (1 / items_per_second) and
// bytes allocated per key. 10^8 keys need 11 GiB: --benchmark_filter leaves them out. And what it
// costs to tell whether a row was seen before, when every filter is full.

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "agents/state/huge_page_pool.h"
#include "agents/state/key_hash.h"
#include "agents/state/key_table.h"
#include "agents/state/prefetch.h"
#include "agents/state/row_filter.h"

namespace caracal::agents {
namespace {

constexpr uint64_t kSeed = 42;
constexpr uint32_t kTables = 256;  // four partitions of 64 buckets
constexpr size_t kBatch = 64;
constexpr size_t kEvents = size_t{1} << 22;
constexpr size_t kRecordBytes = 64;
/// Exponents are arguments, which are whole numbers: in tenths; 0 = uniform.
constexpr double kTenths = 10;

struct Event {
  std::array<char, 12> text;
  uint32_t table;
  KeyHash hash;
  std::string_view key() const { return {text.data(), text.size()}; }
};

Event EventOf(uint64_t account) {
  Event event;
  const std::string text = std::to_string(100'000'000'000 + account);
  std::memcpy(event.text.data(), text.data(), event.text.size());
  event.hash = HashKey(event.key(), kSeed);
  event.table = BucketOf(event.hash, kTables);
  return event;
}

// Zipf-distributed ranks below n by rejection-inversion (Hörmann and Derflinger, 1996).
class ZipfDistribution {
 public:
  ZipfDistribution(uint64_t n, double exponent)
      : n_(static_cast<double>(n)),
        s_(exponent),
        low_(Integral(1.5) - 1),
        high_(Integral(n_ + 0.5)) {}

  template <typename Random>
  uint64_t operator()(Random& random) {
    std::uniform_real_distribution<double> uniform(low_, high_);
    while (true) {
      const double u = uniform(random);
      const double x = std::pow(u * (1 - s_) + 1, 1 / (1 - s_));
      const double k = std::min(std::max(std::floor(x + 0.5), 1.0), n_);
      if (u >= Integral(k + 0.5) - std::pow(k, -s_)) return static_cast<uint64_t>(k) - 1;
    }
  }

 private:
  double Integral(double x) const { return (std::pow(x, 1 - s_) - 1) / (1 - s_); }

  double n_;
  double s_;
  double low_;
  double high_;
};

std::vector<Event> MakeEvents(uint64_t keys, int64_t zipf_tenths) {
  std::mt19937_64 random(kSeed);
  ZipfDistribution ranks(keys, static_cast<double>(zipf_tenths) / kTenths);
  std::uniform_int_distribution<uint64_t> accounts(0, keys - 1);
  std::vector<Event> events;
  events.reserve(kEvents);
  for (size_t i = 0; i < kEvents; ++i) {
    // An odd multiplier scatters the frequent ranks over the accounts.
    const uint64_t account =
        zipf_tenths > 0 ? ranks(random) * 0x9E3779B97F4A7C15U % keys : accounts(random);
    events.push_back(EventOf(account));
  }
  return events;
}

HugePagePool pool;

std::vector<KeyTable> MakeTables(uint64_t keys) {
  std::vector<KeyTable> tables;
  for (uint32_t i = 0; i < kTables; ++i) tables.emplace_back(RecordLayout{kRecordBytes, 8}, &pool);
  for (uint64_t account = 0; account < keys; ++account) {
    const Event event = EventOf(account);
    tables[event.table].FindOrInsert(TableKey::Of(event.key(), event.hash));
  }
  return tables;
}

struct Record {
  int64_t newest_us = 0;
  std::array<std::byte, kRecordBytes> bytes = {};
};
using FlatMaps = std::vector<absl::flat_hash_map<std::string, Record>>;

FlatMaps MakeFlatMaps(uint64_t keys) {
  FlatMaps maps(kTables);
  for (uint64_t account = 0; account < keys; ++account) {
    const Event event = EventOf(account);
    maps[event.table][std::string(event.key())];
  }
  return maps;
}

// What was made last for some arguments: benchmarks are run several times with the same ones.
template <typename Value, typename... Args>
class Latest {
 public:
  explicit Latest(Value (*make)(Args...)) : make_(make) {}
  Value& Get(Args... args) {
    if (!value_.has_value() || args_ != std::tuple(args...)) {
      value_.reset();
      value_ = make_(args...);
      args_ = std::tuple(args...);
    }
    return *value_;
  }

 private:
  Value (*make_)(Args...);
  std::tuple<Args...> args_;
  std::optional<Value> value_;
};

Latest latest_events(MakeEvents);
Latest latest_tables(MakeTables);
Latest latest_flat_maps(MakeFlatMaps);

void Count(std::byte* record) {
  uint64_t count;
  std::memcpy(&count, record, sizeof(count));
  ++count;
  std::memcpy(record, &count, sizeof(count));
}

void ReportTables(benchmark::State& state, const std::vector<KeyTable>& tables, uint64_t keys) {
  size_t bytes = 0;
  for (const KeyTable& table : tables) bytes += table.bytes();
  state.counters["bytes_per_key"] = static_cast<double>(bytes) / static_cast<double>(keys);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

void ProcessBatch(std::vector<KeyTable>& tables, const Event* events, int64_t time, bool prefetch) {
  static std::array<TableKey, kBatch> keys;
  for (size_t i = 0; i < kBatch; ++i) {
    keys[i] = TableKey::Of(events[i].key(), events[i].hash);
    if (prefetch) tables[events[i].table].PrefetchIndex(keys[i]);
  }
  for (size_t i = 0; prefetch && i < kBatch; ++i) tables[events[i].table].PrefetchRecord(keys[i]);
  for (size_t i = 0; i < kBatch; ++i) {
    KeyTable& table = tables[events[i].table];
    const KeyTable::Handle handle = table.FindOrInsert(keys[i]).first;
    table.Touch(handle, time);
    Count(table.record(handle));
  }
}

void BM_KeyTable(benchmark::State& state, bool prefetch) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const std::vector<Event>& events = latest_events.Get(keys, state.range(1));
  std::vector<KeyTable>& tables = latest_tables.Get(keys);
  size_t next = 0;
  int64_t time = 0;
  for (auto _ : state) {
    ProcessBatch(tables, &events[next], ++time, prefetch);
    next = (next + kBatch) % kEvents;
  }
  ReportTables(state, tables, keys);
}

void BM_FlatHashMap(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const std::vector<Event>& events = latest_events.Get(keys, state.range(1));
  FlatMaps& maps = latest_flat_maps.Get(keys);
  size_t next = 0;
  int64_t time = 0;
  for (auto _ : state) {
    ++time;
    for (size_t i = next; i < next + kBatch; ++i) {
      const std::string_view key = events[i].key();
      auto& map = maps[events[i].table];
      Record& record = map.find(absl::string_view(key.data(), key.size()))->second;
      record.newest_us = std::max(record.newest_us, time);
      Count(record.bytes.data());
    }
    next = (next + kBatch) % kEvents;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

void BM_RowFilter(benchmark::State& state) {
  constexpr uint32_t kRows = 16 * 1024;
  uint64_t random = kSeed;
  const auto draw = [&random] {
    random = random * 0x5851F42D4C957F2D + 0x14057B7EF767814F;
    return random;
  };
  std::vector<RowFilter> filters;
  for (uint32_t i = 0; i < kTables; ++i) {
    filters.emplace_back(kRows, &pool);
    for (uint32_t row = 0; row < 2 * kRows; ++row) filters.back().InsertIfNew(draw());
  }
  std::array<std::pair<RowFilter*, uint64_t>, kBatch> rows;
  for (auto _ : state) {
    for (auto& [filter, tag] : rows) {
      tag = draw();
      filter = &filters[tag % kTables];
      filter->Prefetch(tag);
    }
    for (const auto& [filter, tag] : rows) benchmark::DoNotOptimize(filter->InsertIfNew(tag));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

void BM_RandomLine(benchmark::State& state) {
  constexpr size_t kLineBytes = 64;
  constexpr uint64_t kLinesPerPage = kHugePageBytes / kLineBytes;
  std::vector<std::byte*> pages(512);
  for (std::byte*& page : pages) {
    page = pool.Allocate(kHugePageBytes);
    std::memset(page, 0, kHugePageBytes);
  }
  uint64_t random = kSeed;
  std::array<std::byte*, kBatch> lines;
  for (auto _ : state) {
    for (std::byte*& line : lines) {
      random = random * 0x5851F42D4C957F2D + 0x14057B7EF767814F;
      line = pages[random >> 55] + (random >> 30) % kLinesPerPage * kLineBytes;
      PrefetchLine(line);
    }
    for (std::byte* line : lines) Count(line);
  }
  for (std::byte* page : pages) pool.Free(page, kHugePageBytes);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"keys", "zipf_tenths"});
  for (const int64_t keys : {100'000, 1'000'000, 10'000'000}) {
    for (const int64_t zipf : {0, 8, 11}) bench->Args({keys, zipf});
  }
}
void SizesToTheLargest(benchmark::internal::Benchmark* bench) {
  Sizes(bench);
  for (const int64_t zipf : {0, 8, 11}) bench->Args({100'000'000, zipf});
}

BENCHMARK_CAPTURE(BM_KeyTable, prefetched, true)->Apply(SizesToTheLargest);
BENCHMARK_CAPTURE(BM_KeyTable, plain, false)->Apply(Sizes);
BENCHMARK(BM_FlatHashMap)->Apply(Sizes);
BENCHMARK(BM_RowFilter);
BENCHMARK(BM_RandomLine);

}  // namespace
}  // namespace caracal::agents

BENCHMARK_MAIN();
