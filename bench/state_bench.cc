// What the state of a key takes, and what a look-up costs as keys grow: evaluators and buckets as
// workers have them, fed with transactions that are made on the spot, without Kafka and decoding.
//
// memory/*: every account pays 1 or 5 times within a window of 60 s. `rss` is what the process has
// grown by, `state` what caracal_state_bytes would say, `pages` what the pool has taken from the
// system, all in bytes per key and without the row filter, which is `filter` (it is bounded per
// bucket, not per key). `state` = index + slab; `slab` = header + velocity + amount + geo + spare.
// One process per row (--benchmark_filter), one repetition: freed memory hides what is needed next.
// While the first payments of all accounts are judged, tables grow within batches of 1,024: `pause`
// is the processor time of the longest one in ns, `pause_wall` the longest by the clock,
// `pause_table` the longest one in which the index of a single table grew; `batch` is the mean. All
// are from payments at hand to judgements, new pages of memory and the growth of row filters
// included.
//
// judge/*: accounts drawn uniformly, row filters full; from batches at hand (in the second-level
// cache) to judgements: rows seen before, key table, three rules. `cpu_ns` per event.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/evaluator.h"
#include "agents/state/huge_page_pool.h"
#include "agents/state/key_hash.h"
#include "tests/support/rule_harness.h"

namespace caracal::agents {
namespace {

using testing::Duration;
using testing::Exact;
using testing::Number;
using testing::Object;

constexpr uint64_t kSeed = 42;
constexpr uint32_t kBuckets = 6 * 64;  // six partitions
constexpr size_t kBatchEvents = 1024;  // SourceOptions::batch_records
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kFirstPaymentUs = 1'772'620'927 * kSecond;
constexpr int64_t kPaymentGapUs = 10 * kSecond;
constexpr int64_t kStretches = 8;
constexpr size_t kBatchesPerStretch = 512;
/// No eviction: 10^8 keys are more than the 512 MiB per partition of the configuration.
constexpr BucketLimits kLimits{size_t{1} << 40, 16 * 1024};

enum class Amounts { kZscore, kProfile };

struct Row {
  Amounts amounts = Amounts::kZscore;
  uint64_t keys = 0;
  int payments = 5;

  std::string Name(std::string_view kind) const {
    return fmt::format("{}/{}/keys:{}/payments:{}", kind,
                       amounts == Amounts::kZscore ? "zscore" : "profile_50", keys, payments);
  }
};

RuleSpec Rule(const AgentRegistry& registry, std::string id, const std::string& agent,
              testing::NamedValues values) {
  RuleSpec rule;
  rule.id = std::move(id);
  rule.agent = agent;
  rule.score = 1;
  rule.parameters = testing::WithDefaults(registry.Find(agent)->info().parameters,
                                          testing::MakeParameters(values));
  return rule;
}

std::shared_ptr<const CompiledRulesets> Compile(Amounts amounts) {
  static const AgentRegistry* const registry = [] {
    auto* filled = new AgentRegistry;
    CHECK(RegisterBuiltinAgents(*filled).ok());
    return filled;
  }();
  RulesetSpec ruleset;
  ruleset.name = "cards";
  ruleset.rules = {
      Rule(*registry, "burst", "velocity", {{"window", Duration("60s")}, {"max_count", Number(5)}}),
      amounts == Amounts::kZscore
          ? Rule(*registry, "amount", "amount",
                 {{"zscore", Object({{"half_life", Duration("30d")}, {"above", Exact("4")}})}})
          : Rule(*registry, "amount", "amount", {{"profile", Object({{"ratio", Exact("10")}})}}),
      Rule(*registry, "travel", "geo",
           {{"max_speed_kmh", Exact("900")}, {"min_distance_km", Exact("100")}})};
  StreamContext stream;
  stream.topic = "bank.public.transactions";
  stream.has_location = true;
  return CompiledRulesets::Compile(std::vector{ruleset}, *registry, stream, {.hash_seed = kSeed})
      .value();
}

uint64_t Mixed(uint64_t value) {
  value *= 0x9E3779B97F4A7C15U;
  return value ^ value >> 29;
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  CHECK(static_cast<bool>(file >> total >> resident));
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double ThreadCpuNanos() {
  timespec now = {};
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// A batch of payments, made anew in the same memory. One thread.
class Payments {
 public:
  explicit Payments(std::vector<BucketState>& buckets)
      : buckets_(buckets),
        texts_(kBatchEvents),
        transactions_(kBatchEvents),
        inputs_(kBatchEvents) {}

  /// Adds a payment of an account of twelve digits; the batch must not be full.
  void Add(uint64_t account, int64_t time_us) {
    uint64_t digits = 100'000'000'000 + account;
    std::array<char, 12>& text = texts_[size_];
    for (size_t i = text.size(); i > 0; --i, digits /= 10) {
      text[i - 1] = static_cast<char>('0' + digits % 10);
    }
    Transaction& transaction = transactions_[size_];
    transaction.key = transaction.account = {text.data(), text.size()};
    transaction.amount = static_cast<int64_t>(1'000 + Mixed(rows_) % 9'000);
    transaction.event_time_us = time_us;
    // Everybody stays within some kilometres.
    transaction.location = {static_cast<int32_t>(Mixed(account) % 120'000'000) - 60'000'000,
                            static_cast<int32_t>(Mixed(account + rows_ % 2) % 10'000)};
    transaction.has_amount = transaction.has_location = true;
    const KeyHash hash = HashKey(transaction.key, kSeed);
    inputs_[size_] = {&transaction, &buckets_[BucketOf(hash, kBuckets)], hash, Mixed(++rows_),
                      /*has_row=*/true};
    ++size_;
  }
  bool full() const { return size_ == kBatchEvents; }
  std::span<const EvaluationInput> inputs() const { return {inputs_.data(), size_}; }
  void Clear() { size_ = 0; }
  uint64_t rows() const { return rows_; }

 private:
  std::vector<BucketState>& buckets_;
  std::vector<std::array<char, 12>> texts_;
  std::vector<Transaction> transactions_;
  std::vector<EvaluationInput> inputs_;
  size_t size_ = 0;
  uint64_t rows_ = 0;
};

/// The longest of some batches, in ns, and the sum. `table`: of those in which one table has grown.
struct Pauses {
  double cpu = 0;
  double wall = 0;
  double table = 0;
  double cpu_sum = 0;
  size_t batches = 0;
};

/// The state of all accounts, and who judges their payments. One thread.
class Population {
 public:
  explicit Population(const Row& row)
      : row_(row),
        rulesets_(Compile(row.amounts)),
        evaluator_(rulesets_),
        counts_(*rulesets_),
        payments_(buckets_) {
    buckets_.reserve(kBuckets);
    for (uint32_t i = 0; i < kBuckets; ++i) buckets_.emplace_back(rulesets_, kLimits, &pool_);
  }

  /// Every account pays row.payments times, ten seconds apart. Batches of the first payments are
  /// timed.
  void Fill() {
    for (int payment = 0; payment < row_.payments; ++payment) {
      timed_ = payment == 0;
      for (uint64_t account = 0; account < row_.keys; ++account) {
        now_us_ = kFirstPaymentUs + payment * kPaymentGapUs +
                  static_cast<int64_t>(account * static_cast<uint64_t>(kSecond) / row_.keys);
        Pay(account);
      }
    }
    Judge();
    timed_ = false;
  }

  /// Accounts pay at random until every row filter is full.
  void FillRowFilters() {
    const uint64_t rows = uint64_t{2} * kBuckets * kLimits.rows_per_bucket;
    while (payments_.rows() < rows) PayAtRandom();
    Judge();
  }

  /// Judges some batches of random payments; returns seconds and adds processor time.
  double MeasureStretch(double& cpu_ns) {
    double seconds = 0;
    for (size_t batch = 0; batch < kBatchesPerStretch; ++batch) {
      while (!payments_.full()) AddRandom();
      const double cpu_before = ThreadCpuNanos();
      const auto start = std::chrono::steady_clock::now();
      Judge();
      const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
      cpu_ns += ThreadCpuNanos() - cpu_before;
      seconds += wall.count();
    }
    return seconds;
  }

  std::vector<BucketState>& buckets() { return buckets_; }
  const HugePagePool& pool() const { return pool_; }
  const CompiledRulesets& rulesets() const { return *rulesets_; }
  uint64_t evaluated() const { return counts_.evaluated; }
  uint64_t paid() const { return payments_.rows(); }
  /// Of the batches of the first payments of all accounts.
  const Pauses& pauses() const { return pauses_; }

 private:
  void Pay(uint64_t account) {
    payments_.Add(account, now_us_);
    if (!payments_.full()) return;
    if (timed_) {
      TimedJudge();
    } else {
      Judge();
    }
  }
  void AddRandom() {
    random_ = random_ * 0x5851F42D4C957F2D + 0x14057B7EF767814F;
    // An account pays every 100 s on average.
    now_us_ = kFirstPaymentUs + 100 * kSecond +
              static_cast<int64_t>(static_cast<double>(payments_.rows()) * 100.0 * kSecond /
                                   static_cast<double>(row_.keys));
    payments_.Add((random_ >> 32) * row_.keys >> 32, now_us_);
  }
  void PayAtRandom() {
    AddRandom();
    if (payments_.full()) Judge();
  }
  void TimedJudge() {
    const double cpu_before = ThreadCpuNanos();
    const auto start = std::chrono::steady_clock::now();
    Judge();
    const std::chrono::duration<double, std::nano> wall = std::chrono::steady_clock::now() - start;
    const double cpu = ThreadCpuNanos() - cpu_before;
    pauses_.cpu = std::max(pauses_.cpu, cpu);
    pauses_.wall = std::max(pauses_.wall, wall.count());
    if (TakeGrownTables() == 1) pauses_.table = std::max(pauses_.table, cpu);
    pauses_.cpu_sum += cpu;
    ++pauses_.batches;
  }
  /// How many tables have an index that has grown since the last call.
  size_t TakeGrownTables() {
    size_t grown = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      const size_t bytes = buckets_[i].table(0).index_bytes();
      if (std::exchange(index_bytes_[i], bytes) != bytes) ++grown;
    }
    return grown;
  }
  void Judge() {
    evaluator_.Evaluate(payments_.inputs(), judgements_, counts_);
    payments_.Clear();
  }

  const Row row_;
  HugePagePool pool_;
  std::shared_ptr<const CompiledRulesets> rulesets_;
  std::vector<BucketState> buckets_;
  Evaluator evaluator_;
  EvaluationCounts counts_;
  Payments payments_;
  std::vector<Judgement> judgements_;
  bool timed_ = false;
  Pauses pauses_;
  std::vector<size_t> index_bytes_ = std::vector<size_t>(kBuckets);  ///< when last looked at
  int64_t now_us_ = 0;
  uint64_t random_ = kSeed;
};

/// Where the bytes of a key are, by `population`'s own accounts.
void ReportParts(benchmark::State& state, Population& population, uint64_t keys) {
  size_t index = 0;
  size_t tables = 0;
  for (BucketState& bucket : population.buckets()) {
    index += bucket.table(0).index_bytes();
    tables += bucket.table(0).bytes();
  }
  const auto per_key = [keys](size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(keys);
  };
  const KeyGroup& group = population.rulesets().layout().groups[0];
  double named = 0;
  for (const StateSlice& slice : group.slices) {
    constexpr std::array<const char*, 3> kNames = {"velocity", "amount", "geo"};
    state.counters[kNames.at(slice.rule)] = slice.size;
    named += slice.size;
  }
  state.counters["state"] = per_key(tables);
  state.counters["index"] = per_key(index);
  state.counters["slab"] = per_key(tables - index);
  state.counters["header"] = static_cast<double>(KeyTable::kHeaderBytes);
  state.counters["spare"] = per_key(tables - index) - named - KeyTable::kHeaderBytes;
}

void RunMemory(benchmark::State& state, const Row& row) {
  for (auto _ : state) {
    Population population(row);
    const double before = ResidentBytes();
    const double cpu_before = ThreadCpuNanos();
    population.Fill();
    state.SetIterationTime((ThreadCpuNanos() - cpu_before) / 1e9);
    const double grown = ResidentBytes() - before;
    double filters = 0;
    size_t keys = 0;
    for (BucketState& bucket : population.buckets()) {
      filters += static_cast<double>(bucket.rows().bytes());
      keys += bucket.keys();
    }
    if (keys != row.keys || population.evaluated() != population.paid()) {
      state.SkipWithError("some payments were not judged");
      return;
    }
    const auto all = static_cast<double>(keys);
    state.counters["rss"] = (grown - filters) / all;
    state.counters["pages"] = (static_cast<double>(population.pool().bytes()) - filters) / all;
    state.counters["filter"] = filters / all;
    const Pauses& pauses = population.pauses();
    state.counters["pause"] = pauses.cpu;
    state.counters["pause_wall"] = pauses.wall;
    state.counters["pause_table"] = pauses.table;
    state.counters["batch"] = pauses.cpu_sum / static_cast<double>(pauses.batches);
    ReportParts(state, population, keys);
  }
}

void RunJudge(benchmark::State& state, const Row& row) {
  static std::unique_ptr<Population> latest;
  static std::string latest_name;
  if (latest_name != row.Name("judge")) {
    latest.reset();
    latest = std::make_unique<Population>(row);
    latest->Fill();
    latest->FillRowFilters();
    latest_name = row.Name("judge");
  }
  double cpu_ns = 0;
  for (auto _ : state) state.SetIterationTime(latest->MeasureStretch(cpu_ns));
  const auto events = static_cast<int64_t>(state.iterations()) *
                      static_cast<int64_t>(kBatchesPerStretch * kBatchEvents);
  if (latest->evaluated() != latest->paid()) state.SkipWithError("some payments were not judged");
  state.SetItemsProcessed(events);
  state.counters["cpu_ns"] = cpu_ns / static_cast<double>(events);
}

template <typename Run>
void Register(std::string_view kind, const Row& row, Run run, int64_t iterations) {
  benchmark::RegisterBenchmark(row.Name(kind).c_str(),
                               [row, run](benchmark::State& state) { run(state, row); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(iterations);
}

void RegisterAll() {
  constexpr uint64_t kMillion = 1'000'000;
  const std::vector<Row> memory = {
      {Amounts::kZscore, kMillion, 1},       {Amounts::kZscore, kMillion, 5},
      {Amounts::kZscore, 10 * kMillion, 1},  {Amounts::kZscore, 10 * kMillion, 5},
      {Amounts::kZscore, 100 * kMillion, 5}, {Amounts::kProfile, kMillion, 5},
      {Amounts::kProfile, 10 * kMillion, 5}};
  for (const Row& row : memory) Register("memory", row, RunMemory, 1);
  for (const uint64_t keys : {kMillion / 10, kMillion, 10 * kMillion, 100 * kMillion}) {
    Register("judge", {Amounts::kZscore, keys, 1}, RunJudge, kStretches);
  }
}

}  // namespace
}  // namespace caracal::agents

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  caracal::agents::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
