#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "pipeline/base/sha256.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline::sim {
namespace {

constexpr size_t kVersionDigits = 12;

/// By the seed alone: a run without changes of rules draws nothing for them.
bool ChangesRules(const SimulationOptions& options) {
  switch (options.mutation) {
    case Mutation::kNone:
      return options.seed % 3 == 0;
    case Mutation::kCarryNothing:
    case Mutation::kActivateLate:
    case Mutation::kNoTexts:
      return true;
    default:
      return false;
  }
}

/// Everything that members of the run may have, by hash.
std::map<std::string, const Rules*> RulesOf(const Model& model, bool changes_rules) {
  if (!changes_rules) return {{model.tight().hash(), &model.tight()}};
  std::map<std::string, const Rules*> rules;
  for (const auto& version : model.versions()) rules.emplace(version->hash(), version.get());
  return rules;
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

const std::string* StateTopic::Find(int32_t partition, const std::string& key) const {
  const std::vector<Entry>& entries = LogOf(partition).entries;
  const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                  [&key](const Entry& entry) { return entry.key == key; });
  return found == entries.rend() || !found->value.has_value() ? nullptr : &*found->value;
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
      changes_rules(ChangesRules(options)),
      partitions(static_cast<int32_t>(random.Between(1, 4))),
      workload(Workload::Make(partitions, random)),
      judgements(model, workload, RulesOf(model, changes_rules)),
      ledger(partitions, judgements, WorldOfLedger()),
      group(partitions, random),
      transactions(partitions, group, ledger, options.mutation != Mutation::kNoFencing),
      state(partitions),
      rolled_out({changes_rules ? model.versions().front().get() : &model.tight()}),
      log_ends(static_cast<size_t>(partitions)) {
  // Every run has its own weather: most of it fair, some of it foul.
  const auto rate = [this](int64_t worst) {
    return random.Percent(50) ? 0 : random.Between(1, worst);
  };
  faults = {rate(12), rate(12), rate(12), rate(5), rate(10)};
}

LedgerWorld World::WorldOfLedger() {
  return {
      [this](std::string text) { Fail(std::move(text)); },
      [this](int32_t partition, const std::string& version) { return HasText(partition, version); },
      [this](int32_t partition, const std::string& rules) { return HasRules(partition, rules); },
      [this](const std::string& rules) { return running.contains(rules); }};
}

bool World::HasText(int32_t partition, const std::string& version) {
  if (texts_seen_.contains({partition, version})) return true;
  const std::string* text = state.Find(partition, FormatRulesetKey(version));
  if (text == nullptr || Sha256Hex(*text, kVersionDigits) != version) return false;
  texts_seen_.emplace(partition, version);
  return true;
}

bool World::HasRules(int32_t partition, const std::string& rules) {
  const std::string* text = state.Find(partition, FormatRulesKey(rules));
  if (text == nullptr || RulesHash(*text) != rules) return false;
  const absl::StatusOr<RulesManifest> manifest = ParseRulesManifest(*text);
  return manifest.ok() && std::all_of(manifest->rulesets.begin(), manifest->rulesets.end(),
                                      [&](const RulesManifest::Ruleset& ruleset) {
                                        return HasText(partition, ruleset.version);
                                      });
}

void World::CheckTexts() {
  for (const auto& [partition, version] : std::exchange(texts_seen_, {})) {
    if (HasText(partition, version)) continue;
    Fail(fmt::format("partition {}: the text of ruleset version {} is gone from the state topic",
                     partition, version));
  }
}

const Rules& World::RulesOfNext() {
  if (!changes_rules || random.Percent(85)) return *rolled_out.back();
  return *random.Pick(rolled_out);
}

void World::RollOut() {
  const Rules* next = rolled_out.back();
  while (next == rolled_out.back()) {
    const bool back = rolled_out.size() > 1 && random.Percent(30);
    next = back ? random.Pick(rolled_out) : random.Pick(model.versions()).get();
  }
  rolled_out.push_back(next);
  Trace("operator", fmt::format("rules {} ('{}') are rolled out", next->hash(), next->name()));
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
