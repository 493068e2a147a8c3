// What the whole engine costs per event on this machine's cores, without Kafka: decode, route,
// judge with velocity, amount profile and geo, encode alerts, epochs, a commit that only counts.
//
// Records are rendered before each measured stretch and lie in memory, not in the cache. The same
// bytes are read with bare simdjson On-Demand besides (`on_demand_ns`, processor time). State is
// warm: nearly every account has been seen. `wall_ns` is what the clock says, `cpu_ns` the
// processor time of all threads, which other work on the machine distorts less. Run one benchmark
// per process when `rss_mib` matters (--benchmark_filter): memory that one has freed is not always
// given back.
//
// zipf_10m: ten times as many accounts, ten million; 7 GiB. With a steep distribution draws leave
// many of them out, so each pays once beforehand, in shuffled order (AccountSweep), and twice more
// on average, drawn. Then state does not grow: the run fails when an account has none.
// --accounts=N, --warmup=N and --stretch=N (events) make it smaller, for profilers.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/api/check.h"
#include "bench/account_sweep.h"
#include "bench/allocation_counter.h"
#include "bench/bare_on_demand.h"
#include "bench/measured_engine.h"
#include "bench/prepared_records.h"
#include "pipeline/generate/event_generator.h"

namespace caracal::pipeline {
namespace {

constexpr uint32_t kPartitions = 6;
constexpr size_t kBatchRecords = 1024;  // SourceOptions::batch_records
constexpr int64_t kStretchesPerRepetition = 8;
constexpr double kZipfExponent = 0.8;
/// Half of all payments are those of one account.
constexpr double kHotExponent = 1.7;
constexpr uint64_t kSweptFactor = 10;
/// Payments per account.
constexpr uint64_t kDrawnAfterSweep = 2;
constexpr double kMebibyte = 1024.0 * 1024.0;

struct Sizes {
  uint64_t accounts = 1'000'000;
  uint64_t warmup = 8'000'000;
  uint64_t stretch = 131'072;
};

struct Workload {
  const char* shape_name;
  const char* load_name;
  MessageShape shape;
  double zipf_exponent;
  uint32_t worker_threads;
  /// Share of records that cannot be read.
  double malformed = 0;
  /// Ten times the accounts of the sizes; every one has paid before what is drawn.
  bool swept = false;

  std::string Name() const {
    return fmt::format("engine/{}/{}/workers:{}", shape_name, load_name, worker_threads);
  }
};

Sizes SizesOf(const Workload& workload, Sizes sizes) {
  if (!workload.swept) return sizes;
  sizes.accounts *= kSweptFactor;
  sizes.warmup = kDrawnAfterSweep * sizes.accounts;
  return sizes;
}

GeneratorOptions GeneratorOptionsOf(const Workload& workload, const Sizes& sizes) {
  GeneratorOptions options;
  options.partitions = kPartitions;
  options.cards.accounts = static_cast<uint32_t>(sizes.accounts);
  options.cards.zipf_exponent = workload.zipf_exponent;
  // An account pays every 100 s: windows of 60 s hold more than the one event.
  options.time.event_rate = static_cast<double>(sizes.accounts) / 100;
  options.time.diurnal = false;
  options.noise.late = 0.005;
  options.noise.malformed = workload.malformed;
  options.message.shape = workload.shape;
  // The ids of the sweep come before.
  if (workload.swept) options.first_id = static_cast<int64_t>(sizes.accounts) + 1;
  return options;
}

BareForm BareFormOf(MessageShape shape) {
  switch (shape) {
    case MessageShape::kBare:
      return BareForm::kEnvelope;
    case MessageShape::kWrapped:
      return BareForm::kWrapped;
    case MessageShape::kFlat:
      break;
  }
  return BareForm::kFlatRow;
}

int64_t ProcessCpuNanos() {
  rusage usage = {};
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  const auto nanos = [](const timeval& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1'000;
  };
  return nanos(usage.ru_utime) + nanos(usage.ru_stime);
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  CHECK(static_cast<bool>(file >> total >> resident));
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// What measured stretches have cost together.
struct Costs {
  double wall_seconds = 0;
  int64_t cpu_ns = 0;
  /// Processor time that bare On-Demand took for on_demand_records of the same records.
  int64_t on_demand_ns = 0;
  uint64_t on_demand_records = 0;
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
};

/// An engine whose state knows every account, and the stream that goes on where it stopped. One
/// thread.
class WarmEngine {
 public:
  WarmEngine(const Workload& workload, const Sizes& sizes)
      : stretch_(sizes.stretch),
        generator_(EventGenerator::Create(GeneratorOptionsOf(workload, sizes)).value()),
        engine_(CARACAL_BENCH_CONFIG, workload.worker_threads, kPartitions),
        records_(engine_.source().leases(), kBatchRecords) {
    if (workload.swept) Sweep();
    for (uint64_t done = 0; done < sizes.warmup; done += stretch_) {
      RenderStretch();
      Run();
    }
  }

  /// Judges the next stretch and adds what it cost; returns the seconds it took.
  double MeasureStretch(Costs& costs) {
    RenderStretch();
    const AllocationCount allocations = Allocations();
    const int64_t cpu_ns = ProcessCpuNanos();
    const auto start = std::chrono::steady_clock::now();
    Run();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    costs.wall_seconds += wall.count();
    costs.cpu_ns += ProcessCpuNanos() - cpu_ns;
    costs.allocations += Allocations().calls - allocations.calls;
    costs.allocated_bytes += Allocations().bytes - allocations.bytes;
    return wall.count();
  }

  /// Reads the records of the last stretch with On-Demand and adds what that cost; false when it
  /// cannot read them.
  bool MeasureOnDemand(BareForm form, Costs& costs) {
    std::vector<BareMessage> messages;
    for (const std::shared_ptr<RecordBatch>& batch : records_.batches()) {
      // The last value has nothing behind it that may be read.
      for (size_t i = 0; i + 1 < batch->records().size(); ++i) {
        const std::string_view value = batch->records()[i].value;
        messages.push_back({value.data(), value.size()});
      }
    }
    const int64_t cpu_ns = ProcessCpuNanos();
    const bool readable = CaracalBareReadAsBuilt(messages.data(), messages.size(), form);
    costs.on_demand_ns += ProcessCpuNanos() - cpu_ns;
    costs.on_demand_records += messages.size();
    return readable;
  }

  const StreamProbe& probe() const { return engine_.probe(); }
  uint64_t alerts() const { return engine_.committer().outputs(); }
  size_t records_bytes() const { return records_.bytes(); }
  /// False when a record that can be read has not been judged: then nothing that was measured means
  /// anything.
  bool JudgedEverything() const {
    uint64_t rejected = 0;
    for (const Counter& reason : probe().rejected) rejected += reason.value();
    return probe().consumed.value() == probe().evaluated.value() + rejected;
  }

 private:
  /// Every account pays once.
  void Sweep() {
    AccountSweep sweep(generator_->options());
    while (records_.Render(stretch_, [&sweep](auto& record) { return sweep.Next(record); }) > 0) {
      Run();
    }
  }
  void RenderStretch() {
    CHECK(records_.Render(stretch_, [this](auto& record) { return generator_->Next(record); }) ==
          stretch_);
  }
  void Run() {
    engine_.source().Provide(records_.batches());
    engine_.RunToEnd();
  }

  const uint64_t stretch_;
  const std::unique_ptr<EventGenerator> generator_;
  MeasuredEngine engine_;
  PreparedRecords records_;
};

/// The engine of the workload asked for last: its repetitions go on with the same state.
class Latest {
 public:
  WarmEngine& Get(const Workload& workload, const Sizes& sizes) {
    if (name_ != workload.Name()) {
      engine_.reset();
      engine_ = std::make_unique<WarmEngine>(workload, sizes);
      name_ = workload.Name();
    }
    return *engine_;
  }

 private:
  std::string name_;
  std::unique_ptr<WarmEngine> engine_;
};

void Report(benchmark::State& state, const WarmEngine& engine, const Costs& costs, double events) {
  const StreamProbe& probe = engine.probe();
  const auto consumed = static_cast<double>(probe.consumed.value());
  const auto keys = static_cast<double>(probe.state_keys.value());
  const auto state_bytes = static_cast<double>(probe.state_bytes.value());
  state.counters["wall_ns"] = costs.wall_seconds * 1e9 / events;
  state.counters["cpu_ns"] = static_cast<double>(costs.cpu_ns) / events;
  state.counters["input_bytes"] = static_cast<double>(probe.consumed_bytes.value()) / consumed;
  if (costs.on_demand_records > 0) {
    state.counters["on_demand_ns"] =
        static_cast<double>(costs.on_demand_ns) / static_cast<double>(costs.on_demand_records);
  }
  state.counters["allocations"] = static_cast<double>(costs.allocations) / events;
  state.counters["allocated_bytes"] = static_cast<double>(costs.allocated_bytes) / events;
  state.counters["alerts_per_million"] = static_cast<double>(engine.alerts()) / consumed * 1e6;
  state.counters["accounts"] = keys;
  state.counters["state_bytes_per_account"] = state_bytes / keys;
  state.counters["rss_mib"] =
      (ResidentBytes() - static_cast<double>(engine.records_bytes())) / kMebibyte;
}

void RunWorkload(benchmark::State& state, const Workload& workload, const Sizes& sizes) {
  static Latest latest;
  WarmEngine& engine = latest.Get(workload, sizes);
  Costs costs;
  bool readable = true;
  for (auto _ : state) {
    state.SetIterationTime(engine.MeasureStretch(costs));
    if (workload.malformed > 0) continue;
    readable = readable && engine.MeasureOnDemand(BareFormOf(workload.shape), costs);
  }
  if (!readable || !engine.JudgedEverything()) {
    state.SkipWithError("some records were skipped");
    return;
  }
  const auto accounts = static_cast<int64_t>(sizes.accounts);
  if (workload.swept && engine.probe().state_keys.value() != accounts) {
    state.SkipWithError("some accounts have no state");
    return;
  }
  const auto events =
      static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(sizes.stretch);
  state.SetItemsProcessed(events);
  Report(state, engine, costs, static_cast<double>(events));
}

void RegisterAll(const Sizes& sizes) {
  std::vector<Workload> workloads;
  for (const double zipf : {0.0, kZipfExponent}) {
    const char* const load = zipf > 0 ? "zipf" : "uniform";
    for (const uint32_t workers : {0U, 1U}) {
      workloads.push_back({"bare", load, MessageShape::kBare, zipf, workers});
    }
    workloads.push_back({"wrapped", load, MessageShape::kWrapped, zipf, 0});
    workloads.push_back({"flat", load, MessageShape::kFlat, zipf, 0});
  }
  workloads.push_back({"bare", "zipf_1.1", MessageShape::kBare, 1.1, 0});
  workloads.push_back({"bare", "hot", MessageShape::kBare, kHotExponent, 0});
  workloads.push_back({"bare", "malformed", MessageShape::kBare, 0, 0, 0.01});
  workloads.push_back({"bare", "zipf_10m", MessageShape::kBare, kZipfExponent, 0, 0, true});
  for (const Workload& workload : workloads) {
    const Sizes own = SizesOf(workload, sizes);
    benchmark::RegisterBenchmark(
        workload.Name().c_str(),
        [workload, own](benchmark::State& state) { RunWorkload(state, workload, own); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(kStretchesPerRepetition);
  }
}

/// Takes the arguments that are ours out of argv; false when one has no number above 0.
bool TakeSizes(int& argc, char** argv, Sizes& sizes) {
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    uint64_t* size = nullptr;
    if (argument.rfind("--accounts=", 0) == 0) size = &sizes.accounts;
    if (argument.rfind("--warmup=", 0) == 0) size = &sizes.warmup;
    if (argument.rfind("--stretch=", 0) == 0) size = &sizes.stretch;
    if (size == nullptr) {
      argv[kept++] = argv[i];
      continue;
    }
    *size = std::strtoull(argv[i] + argument.find('=') + 1, nullptr, 10);
    if (*size == 0) return false;
  }
  argc = kept;
  return true;
}

}  // namespace
}  // namespace caracal::pipeline

int main(int argc, char** argv) {
  caracal::pipeline::Sizes sizes;
  if (!caracal::pipeline::TakeSizes(argc, argv, sizes)) {
    fmt::print(stderr, "engine_bench: --accounts, --warmup and --stretch take a number above 0\n");
    return 64;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  caracal::pipeline::RegisterAll(sizes);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
