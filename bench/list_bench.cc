// What the example plugin `list` costs: a look-up among the accounts of a list, in batches of 256
// with texts spread over memory as in records, and making an agent of a list's file.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/transaction.h"
#include "pipeline/base/sha256.h"
#include "pipeline/plugins/plugin_loader.h"
#include "tests/support/rule_harness.h"

namespace caracal::pipeline {
namespace {

using agents::testing::MakeParameters;
using agents::testing::Object;

constexpr size_t kBatch = 256;
constexpr size_t kBatches = 256;

std::unique_ptr<agents::AgentFactory> LoadList() {
  PluginRequest request;
  request.path = CARACAL_LIST_PLUGIN;
  request.directories = {std::filesystem::path(request.path).parent_path()};
  PluginRefusal refusal;
  auto plugin = PluginLoader("").Load(request, refusal);
  if (plugin == nullptr) fmt::print(stderr, "{}: {}\n", request.path, refusal.message);
  CHECK(plugin != nullptr);
  return plugin;
}

std::string Account(size_t number) { return fmt::format("{:010}", number * 977); }

/// A file with this many accounts, for as long as it lives.
class AccountFile {
 public:
  explicit AccountFile(size_t entries)
      : path_(std::filesystem::temp_directory_path() / fmt::format("list_bench_{}", entries)) {
    std::string text;
    for (size_t i = 0; i < entries; ++i) text += Account(i) + "\n";
    std::ofstream(path_, std::ios::binary) << text;
    sha256_ = Sha256Hex(text);
  }
  ~AccountFile() { std::filesystem::remove(path_); }

  agents::Parameters Denied() const {
    const std::vector<agents::ParameterFile> files = {{path_, sha256_}};
    return MakeParameters({{"deny", Object({{"accounts", files}})}, {"only_allowed", false}});
  }

 private:
  const std::string path_;
  std::string sha256_;
};

/// Payments of accounts [first, first + entries), at random.
class Payments {
 public:
  Payments(size_t first, size_t entries) {
    std::mt19937_64 random(1);
    for (size_t i = 0; i < kBatch * kBatches; ++i) {
      accounts_.push_back(Account(first + random() % entries));
    }
    transactions_.resize(accounts_.size());
    for (size_t i = 0; i < accounts_.size(); ++i) {
      transactions_[i].key = transactions_[i].account = accounts_[i];
      pointers_.push_back(&transactions_[i]);
    }
  }
  std::span<const agents::Transaction* const> Batch(size_t batch) const {
    return std::span(pointers_).subspan(batch % kBatches * kBatch, kBatch);
  }

 private:
  std::vector<std::string> accounts_;
  std::vector<agents::Transaction> transactions_;
  std::vector<const agents::Transaction*> pointers_;
};

void Judge(benchmark::State& state, bool listed) {
  const auto entries = static_cast<size_t>(state.range(0));
  const AccountFile file(entries);
  const auto plugin = LoadList();
  const auto rule = plugin->Bind(file.Denied(), {}).value();
  const std::unique_ptr<agents::Agent> agent = rule->NewAgent();
  const Payments payments(listed ? 0 : entries, entries);
  const std::vector<std::byte*> states(kBatch);
  std::vector<agents::Verdict> verdicts(kBatch);
  size_t batch = 0;
  for (auto _ : state) {
    std::fill(verdicts.begin(), verdicts.end(), agents::Verdict{});
    agent->Process(payments.Batch(batch++), states, verdicts);
    benchmark::DoNotOptimize(verdicts.data());
    benchmark::ClobberMemory();
  }
  CHECK(agent->status().ok());
  CHECK(verdicts[0].fired == listed);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

void BM_ListMiss(benchmark::State& state) { Judge(state, false); }
BENCHMARK(BM_ListMiss)->Arg(1'000)->Arg(1'000'000);

void BM_ListHit(benchmark::State& state) { Judge(state, true); }
BENCHMARK(BM_ListHit)->Arg(1'000)->Arg(1'000'000);

/// Reading, digesting and indexing: the rule's check makes an agent and frees it.
void BM_ListLoad(benchmark::State& state) {
  const AccountFile file(static_cast<size_t>(state.range(0)));
  const auto plugin = LoadList();
  for (auto _ : state) {
    const auto rule = plugin->Bind(file.Denied(), {});
    CHECK(rule.ok());
  }
}
BENCHMARK(BM_ListLoad)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace caracal::pipeline

BENCHMARK_MAIN();
