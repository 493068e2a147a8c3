// What the border to plugins costs: an empty plugin beside no agent, velocity as a plugin beside
// the built-in one, in batches of 256 with states in the first-level cache; and loading.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/velocity/velocity_factory.h"
#include "pipeline/engine/system_clock.h"
#include "pipeline/plugins/plugin_loader.h"
#include "tests/support/rule_harness.h"

namespace caracal::pipeline {
namespace {

using agents::testing::Duration;
using agents::testing::MakeParameters;
using agents::testing::Number;
using agents::testing::Text;

constexpr size_t kKeys = 32;
constexpr size_t kBatch = 256;
constexpr size_t kBatches = 64;
constexpr size_t kLibraries = 20;
constexpr int64_t kStepUs = 20'000'000 / static_cast<int64_t>(kKeys);

std::unique_ptr<agents::AgentFactory> Load(const std::string& path) {
  PluginRequest request;
  request.path = path;
  request.directories = {std::filesystem::path(path).parent_path()};
  request.probe = std::make_shared<PluginProbe>();
  PluginRefusal refusal;
  auto plugin = PluginLoader("", std::make_shared<SystemClock>()).Load(request, refusal);
  if (plugin == nullptr) fmt::print(stderr, "{}: {}\n", path, refusal.message);
  CHECK(plugin != nullptr);
  return plugin;
}

/// Payments of kKeys cards in batches, each with the state of its card.
class Payments {
 public:
  explicit Payments(size_t state_size) : words_((state_size + 15) / 16 * 2) {
    std::mt19937_64 random(1);
    records_.resize(kKeys * words_ + 2);
    for (size_t i = 0; i < kBatch * kBatches; ++i) {
      agents::Transaction event;
      event.key = event.account = "card";
      event.event_time_us = static_cast<int64_t>(i) * kStepUs;
      event.amount = static_cast<int64_t>(random() % 20'000);
      event.has_amount = true;
      transactions_.push_back(event);
      const size_t key = random() % kKeys;
      states_.push_back(reinterpret_cast<std::byte*>(records_.data() + key * words_));
    }
    for (const agents::Transaction& event : transactions_) pointers_.push_back(&event);
  }

  std::span<const agents::Transaction* const> events(size_t batch) const {
    return std::span(pointers_).subspan(batch * kBatch, kBatch);
  }
  std::span<std::byte* const> states(size_t batch) const {
    return std::span(states_).subspan(batch * kBatch, kBatch);
  }
  /// Moves every payment by one pass, so that the next pass goes on.
  void Continue() {
    for (agents::Transaction& event : transactions_) {
      event.event_time_us += static_cast<int64_t>(kBatch * kBatches) * kStepUs;
    }
  }

 private:
  const size_t words_;
  std::vector<uint64_t> records_;
  std::vector<agents::Transaction> transactions_;
  std::vector<const agents::Transaction*> pointers_;
  std::vector<std::byte*> states_;
};

/// Has `agent` judge batch after batch; null = nobody judges.
void Judge(benchmark::State& state, agents::Agent* agent, size_t state_size) {
  Payments payments(state_size);
  std::vector<agents::Verdict> verdicts(kBatch);
  size_t batch = 0;
  for (auto _ : state) {
    std::fill(verdicts.begin(), verdicts.end(), agents::Verdict{});
    if (agent != nullptr) agent->Process(payments.events(batch), payments.states(batch), verdicts);
    benchmark::DoNotOptimize(verdicts.data());
    benchmark::ClobberMemory();
    if (++batch < kBatches) continue;
    batch = 0;
    state.PauseTiming();
    payments.Continue();
    state.ResumeTiming();
  }
  if (agent != nullptr) CHECK(agent->status().ok());
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

void JudgeRule(benchmark::State& state, const agents::AgentFactory& factory,
               const agents::Parameters& parameters) {
  const auto rule = factory.Bind(parameters, {}).value();
  const std::unique_ptr<agents::Agent> agent = rule->NewAgent();
  Judge(state, agent.get(), rule->state().size);
}

void BM_NoAgent(benchmark::State& state) { Judge(state, nullptr, 0); }
BENCHMARK(BM_NoAgent);

void BM_EmptyPlugin(benchmark::State& state) {
  JudgeRule(state, *Load(CARACAL_BENCH_PLUGIN_DIR "/empty.so"), {});
}
BENCHMARK(BM_EmptyPlugin);

void BM_VelocityBuiltIn(benchmark::State& state) {
  JudgeRule(
      state, agents::VelocityFactory(),
      MakeParameters(
          {{"window", Duration("60s")}, {"max_count", Number(5)}, {"refunds", Text("exclude")}}));
}
BENCHMARK(BM_VelocityBuiltIn);

void BM_VelocityPlugin(benchmark::State& state) {
  JudgeRule(state, *Load(CARACAL_BENCH_PLUGIN_DIR "/velocity.so"),
            MakeParameters({{"window", Text("60s")}, {"max_count", Number(5)}}));
}
BENCHMARK(BM_VelocityPlugin);

/// Files the process has not seen: a library is loaded once and never unloaded.
void BM_LoadTwenty(benchmark::State& state) {
  static int round = 0;
  const std::filesystem::path folder = std::filesystem::path(CARACAL_BENCH_PLUGIN_DIR) / "copies";
  for (auto _ : state) {
    state.PauseTiming();
    std::filesystem::create_directories(folder);
    std::vector<std::string> paths;
    for (size_t i = 0; i < kLibraries; ++i) {
      paths.push_back(folder / fmt::format("velocity-{}-{}.so", round, i));
      std::filesystem::copy_file(CARACAL_BENCH_PLUGIN_DIR "/velocity.so", paths.back(),
                                 std::filesystem::copy_options::overwrite_existing);
    }
    ++round;
    std::vector<std::unique_ptr<agents::AgentFactory>> plugins;
    state.ResumeTiming();
    for (const std::string& path : paths) plugins.push_back(Load(path));
    state.PauseTiming();
    plugins.clear();
    std::filesystem::remove_all(folder);
    state.ResumeTiming();
  }
}
BENCHMARK(BM_LoadTwenty)->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace caracal::pipeline

BENCHMARK_MAIN();
