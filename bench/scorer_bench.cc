// What a score costs: forests of depth 6 over twenty features, random thresholds and rows with one
// value in ten missing, in the batches the engine makes (32) and one by one; and what makes a
// probability of a sum. ns per event is 1e9 / items_per_second.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "agents/sdk/example/scorer/exponential.h"
#include "agents/sdk/example/scorer/forest.h"

namespace scorer {
namespace {

constexpr size_t kFeatures = 20;
constexpr size_t kDepth = 6;
constexpr size_t kRows = 8'192;

/// All inner nodes there can be, split at random.
Tree FullTree(std::mt19937& random) {
  constexpr size_t kInner = (size_t{1} << kDepth) - 1;
  constexpr size_t kNodes = 2 * kInner + 1;
  std::uniform_real_distribution<float> value(-1, 1);
  Tree tree;
  for (size_t i = 0; i < kNodes; ++i) {
    const bool is_leaf = i >= kInner;
    tree.left.push_back(is_leaf ? -1 : static_cast<int64_t>(2 * i + 1));
    tree.right.push_back(is_leaf ? -1 : static_cast<int64_t>(2 * i + 2));
    tree.feature.push_back(static_cast<int64_t>(random() % kFeatures));
    tree.threshold.push_back(value(random));
    tree.default_left.push_back(random() % 2 == 0);
  }
  return tree;
}

std::vector<double> RandomRows(std::mt19937& random) {
  std::uniform_real_distribution<double> value(-1, 1);
  std::vector<double> rows(kRows * kFeatures);
  for (double& number : rows) {
    number = random() % 10 == 0 ? std::numeric_limits<double>::quiet_NaN() : value(random);
  }
  return rows;
}

/// Trees, rows per call.
void BM_Forest(benchmark::State& state) {
  std::mt19937 random(1);
  Forest forest(kFeatures, 0.5F);
  for (int64_t i = 0; i < state.range(0); ++i) forest.AddTree(FullTree(random));
  const std::vector<double> rows = RandomRows(random);
  const auto batch = static_cast<size_t>(state.range(1));
  std::vector<float> sums(batch);
  size_t row = 0;
  for (auto _ : state) {
    forest.Sum(&rows[row * kFeatures], batch, sums.data());
    benchmark::DoNotOptimize(sums.data());
    benchmark::ClobberMemory();
    row = (row + batch) % kRows;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch));
}
BENCHMARK(BM_Forest)->ArgNames({"trees", "rows"})->ArgsProduct({{1, 10, 100, 1'000}, {1, 32}});

void BM_Logistic(benchmark::State& state) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> value(-8, 8);
  std::vector<double> margins(kRows);
  for (double& margin : margins) margin = value(random);
  for (auto _ : state) {
    for (const double margin : margins) benchmark::DoNotOptimize(Logistic(margin));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
}
BENCHMARK(BM_Logistic);

}  // namespace
}  // namespace scorer

BENCHMARK_MAIN();
