#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace caracal::pipeline::sim {
namespace {

std::vector<Expected> JudgeAll(const Model& model, const Workload& workload) {
  std::vector<Expected> expected;
  for (size_t p = 0; p < workload.logs.size(); ++p) {
    expected.push_back(JudgeFresh(model, static_cast<int32_t>(p), workload.logs[p]));
  }
  return expected;
}

}  // namespace

void StateTopic::Append(int32_t partition, std::string key, std::optional<std::string> value) {
  Log& log = logs_[static_cast<size_t>(partition)];
  log.entries.push_back({log.next++, std::move(key), std::move(value)});
}

const StateTopic::Entry* StateTopic::Read(int32_t partition, int64_t offset) const {
  const std::vector<Entry>& entries = LogOf(partition).entries;
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), offset,
                       [](const Entry& entry, int64_t wanted) { return entry.offset < wanted; });
  return found == entries.end() ? nullptr : &*found;
}

void StateTopic::Compact(int32_t partition, Random& random) {
  std::vector<Entry>& entries = logs_[static_cast<size_t>(partition)].entries;
  if (entries.empty()) return;
  // The tail is not compacted.
  const auto cut = static_cast<size_t>(random.Below(static_cast<int64_t>(entries.size())));
  const bool drop_tombstones = random.Percent(30);
  std::set<std::string> newer;
  std::vector<Entry> kept(std::make_move_iterator(entries.begin() + static_cast<int64_t>(cut)),
                          std::make_move_iterator(entries.end()));
  std::reverse(kept.begin(), kept.end());
  for (size_t i = cut; i-- > 0;) {
    if (!newer.insert(entries[i].key).second) continue;
    if (!entries[i].value.has_value() && drop_tombstones) continue;
    kept.push_back(std::move(entries[i]));
  }
  std::reverse(kept.begin(), kept.end());
  entries = std::move(kept);
}

void Network::Deliver(int64_t now_us) {
  while (!requests_.empty() && requests_.begin()->first <= now_us) {
    const std::function<void()> request = std::move(requests_.begin()->second);
    requests_.erase(requests_.begin());
    request();
  }
}

World::World(const Model& shared, const SimulationOptions& simulation_options)
    : model(shared),
      options(simulation_options),
      random(simulation_options.seed),
      exactly_once(options.mutation != Mutation::kNone || random.Percent(75)),
      partitions(static_cast<int32_t>(random.Between(1, 4))),
      workload(Workload::Make(partitions, random)),
      expected(JudgeAll(model, workload)),
      ledger(expected, [this](std::string text) { Fail(std::move(text)); }),
      group(partitions, random),
      transactions(partitions, group, ledger, options.mutation != Mutation::kNoFencing),
      state(partitions),
      log_ends(static_cast<size_t>(partitions)) {
  // Every run has its own weather: most of it fair, some of it foul.
  const auto rate = [this](int64_t worst) {
    return random.Percent(50) ? 0 : random.Between(1, worst);
  };
  faults = {rate(12), rate(12), rate(12), rate(5), rate(10)};
}

void World::Fail(std::string text) {
  Trace("FAILED", text);
  if (failure.empty()) failure = std::move(text);
}

void World::Trace(std::string_view who, std::string_view text) const {
  if (options.trace) {
    fmt::print(stderr, "{:>10.3f} ms  {:<8} {}\n", static_cast<double>(now_us()) / 1000, who, text);
  }
}

}  // namespace caracal::pipeline::sim
