// How the work spreads: events that are decoded already, through the router, the rings and one
// agent of a given cost, by 0 (inline), 1, 2 and 4 worker threads. Uniform keys, or one key that
// has every second event.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/check.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/state/key_hash.h"
#include "bench/spin_agent.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "pipeline/execute/worker_pool.h"
#include "pipeline/route/router.h"

namespace caracal::pipeline {
namespace {

constexpr uint32_t kBuckets = 64;
constexpr uint32_t kKeys = 100'000;
constexpr size_t kEvents = 1 << 16;
constexpr size_t kBatchEvents = 1024;  // SourceOptions::batch_records
/// Spinning would count as work.
constexpr std::chrono::milliseconds kFullPause(1);

struct Workload {
  std::chrono::nanoseconds agent;
  uint32_t threads;
  bool hot_key;

  std::string Name() const {
    return fmt::format("fan_out/agent_ns:{}/{}/workers:{}", agent.count(),
                       hot_key ? "hot" : "uniform", threads);
  }
};

StreamPlan PlanOf(const agents::AgentRegistry& registry) {
  agents::RuleSpec rule;
  rule.id = "rule";
  rule.agent = "spin";
  rule.score = 1;
  agents::RulesetSpec ruleset;
  ruleset.name = "set";
  ruleset.rules = {rule};
  StreamPlan plan;
  plan.rulesets = agents::CompiledRulesets::Compile({&ruleset, 1}, registry, {}, {}).value();
  plan.encoder = std::make_shared<JsonAlertEncoder>(2, plan.rulesets->infos());
  plan.limits.max_bytes = size_t{64} << 20;
  plan.limits.rows_per_bucket = 0;
  return plan;
}

/// The events of one pass; their keys live as long as this.
class Events {
 public:
  explicit Events(bool hot_key, PartitionLease* lease) {
    for (uint32_t key = 0; key < kKeys; ++key) keys_.push_back(std::to_string(key));
    uint64_t random = 1;
    for (size_t i = 0; i < kEvents; ++i) {
      random = random * 0x5851F42D4C957F2D + 0x14057B7EF767814F;
      const size_t key = hot_key && i % 2 == 0 ? 0 : (random >> 32) % kKeys;
      Event event;
      event.transaction.key = event.transaction.account = keys_[key];
      event.transaction.event_time_us = static_cast<int64_t>(i);
      event.key_hash = agents::HashKey(keys_[key], 0);
      event.lease = lease;
      event.offset = static_cast<int64_t>(i);
      events_.push_back(event);
    }
  }
  const std::vector<Event>& all() const { return events_; }

 private:
  std::vector<std::string> keys_;
  std::vector<Event> events_;
};

/// Router and workers with one open partition.
class FanOut {
 public:
  explicit FanOut(const Workload& workload) : events_(workload.hot_key, lease_.get()) {
    CHECK(registry_.Register(agents::MakeSpinFactory(workload.agent)).ok());
    pool_ = std::make_unique<WorkerPool>(WorkerPoolOptions{workload.threads, 64},
                                         std::vector<StreamPlan>{PlanOf(registry_)}, kBuckets,
                                         [this] { ready_.release(); });
    router_ = std::make_unique<Router>(kBuckets, pool_->size());
    pool_->Start();
    for (uint32_t i = 0; i < pool_->size(); ++i) Post(i, OpenPartition{lease_, nullptr});
  }

  /// Judges all events; returns when every worker has handed over its share.
  void Pass() {
    const std::vector<Event>& events = events_.all();
    for (size_t i = 0; i < events.size(); i += kBatchEvents) {
      router_->Begin(std::make_shared<EventStorage>(), kBatchEvents);
      for (size_t j = i; j < i + kBatchEvents; ++j) router_->Add(events[j]);
      for (uint32_t worker = 0; worker < pool_->size(); ++worker) {
        EventBatch batch = router_->Take(worker);
        if (!batch.events.empty()) Post(worker, std::move(batch));
      }
      router_->End();
    }
    ++epoch_;
    for (uint32_t i = 0; i < pool_->size(); ++i) Post(i, Barrier{epoch_, {}});
    uint64_t judged = 0;
    EpochShare share;
    for (uint32_t missing = pool_->size(); missing > 0; --missing) {
      while (!pool_->TakeShare(share)) ready_.acquire();
      judged += share.streams[0].counts.evaluated;
    }
    CHECK(judged == kEvents);
  }

 private:
  void Post(uint32_t worker, WorkerMessage message) {
    while (!pool_->TryPost(worker, message)) std::this_thread::sleep_for(kFullPause);
  }

  const LeasePtr lease_ = std::make_shared<PartitionLease>(1, 0, "transactions", 0, 0);
  agents::AgentRegistry registry_;
  const Events events_;
  std::counting_semaphore<> ready_{0};
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<Router> router_;
  uint64_t epoch_ = 0;
};

void RunWorkload(benchmark::State& state, const Workload& workload) {
  FanOut fan_out(workload);
  fan_out.Pass();  // makes the state
  for (auto _ : state) fan_out.Pass();
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kEvents));
}

void RegisterAll() {
  using std::chrono::nanoseconds;
  std::vector<Workload> workloads;
  for (const int64_t cost : {0, 50, 1'000, 5'000}) {
    for (const uint32_t threads : {0U, 1U, 2U, 4U}) {
      workloads.push_back({nanoseconds(cost), threads, false});
    }
  }
  for (const uint32_t threads : {1U, 2U}) workloads.push_back({nanoseconds(1'000), threads, true});
  for (const Workload& workload : workloads) {
    benchmark::RegisterBenchmark(
        workload.Name().c_str(),
        [workload](benchmark::State& state) { RunWorkload(state, workload); })
        ->UseRealTime()
        ->MeasureProcessCPUTime();
  }
}

}  // namespace
}  // namespace caracal::pipeline

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  caracal::pipeline::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
