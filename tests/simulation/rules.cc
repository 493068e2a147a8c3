#include "tests/simulation/rules.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_image.h"
#include "pipeline/base/sha256.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "tests/support/engine_harness.h"
#include "tests/support/rule_harness.h"

namespace caracal::pipeline::sim {
namespace {

using agents::testing::Duration;
using agents::testing::Exact;
using agents::testing::MakeParameters;
using agents::testing::Number;

constexpr uint32_t kRowsPerBucket = 24;
constexpr size_t kWideBytes = size_t{1} << 20;
constexpr size_t kVersionDigits = 12;

agents::RuleSpec Rule(const agents::AgentRegistry& registry, std::string id, std::string agent,
                      int32_t score, const agents::Parameters& parameters) {
  agents::RuleSpec rule;
  rule.id = std::move(id);
  rule.agent = std::move(agent);
  rule.score = score;
  rule.parameters =
      agents::testing::WithDefaults(registry.Find(rule.agent)->info().parameters, parameters);
  return rule;
}

/// The canonical text of a ruleset, as far as a simulation needs one: equal rulesets, equal texts.
std::string TextOf(const std::string& ruleset, const std::string& revision) {
  return fmt::format("ruleset {}, revision {}", ruleset, revision);
}

/// What may differ between two versions of the rule files.
struct Choices {
  const char* name = "first";
  const char* burst_name = "burst";
  const char* burst = "1";  ///< revisions of the rulesets
  const char* habit = "1";
  int64_t max_count = 3;
  const char* sum_window = "10m";
  const char* ratio = "2";
  int32_t big_score = 30;
  bool has_shop = false;
  bool has_travel = true;
};

agents::RulesetSpec Burst(const agents::AgentRegistry& registry, const Choices& choices) {
  agents::RulesetSpec burst = {.name = choices.burst_name, .version = "", .alert_above = 50};
  burst.version = Sha256Hex(TextOf(burst.name, choices.burst), kVersionDigits);
  burst.rules = {
      Rule(registry, "count", "velocity", 60,
           MakeParameters({{"window", Duration("60s")}, {"max_count", Number(choices.max_count)}})),
      Rule(registry, "sum", "velocity", 40,
           MakeParameters(
               {{"window", Duration(choices.sum_window)}, {"max_amount", Exact("600.00")}})),
      Rule(registry, "big", "amount", choices.big_score,
           MakeParameters({{"above", Exact("150.00")}})),
  };
  if (choices.has_shop) {
    burst.rules.push_back(
        Rule(registry, "shop", "velocity", 55,
             MakeParameters({{"window", Duration("30m")}, {"max_count", Number(2)}})));
    burst.rules.back().key_suffix = {"merchant"};
  }
  return burst;
}

agents::RulesetSpec Habit(const agents::AgentRegistry& registry, const Choices& choices) {
  agents::RulesetSpec habit = {.name = "habit", .version = "", .alert_above = 10};
  habit.version = Sha256Hex(TextOf(habit.name, choices.habit), kVersionDigits);
  habit.rules = {
      Rule(registry, "unusual", "amount", 20,
           MakeParameters({{"profile", agents::testing::Object({{"history", Number(5)},
                                                                {"min_history", Number(2)},
                                                                {"ratio", Exact(choices.ratio)},
                                                                {"floor", Exact("20.00")}})}})),
  };
  if (choices.has_travel) {
    habit.rules.push_back(
        Rule(registry, "travel", "geo", 15,
             MakeParameters({{"max_speed_kmh", Exact("900")}, {"min_distance_km", Exact("50")}})));
  }
  return habit;
}

RulesManifest ManifestOf(const StreamPlan& plan, const std::string& topic, uint64_t seed) {
  RulesManifest manifest;
  manifest.topic = topic;
  manifest.buckets = Rules::kBuckets;
  manifest.seed_fingerprint = seed;
  const std::vector<agents::RulesetInfo>& infos = plan.rulesets->infos();
  for (const agents::RulesetInfo& info : infos) {
    manifest.rulesets.push_back({info.version, info.name});
  }
  for (const agents::KeyGroup& group : plan.rulesets->layout().groups) {
    for (const agents::StateSlice& slice : group.slices) {
      const agents::RulesetInfo& info = infos[slice.ruleset];
      manifest.states.push_back(
          {slice.id, fmt::format("{}/{}", info.name, info.rules[slice.rule].id)});
    }
  }
  return manifest;
}

}  // namespace

std::vector<RuleFiles> MakeRuleFiles(const agents::AgentRegistry& registry) {
  const std::vector<Choices> all = {
      {},
      {.name = "shop added", .burst = "2", .has_shop = true},
      {.name = "travel removed", .habit = "2", .has_travel = false},
      {.name = "other limits", .burst = "3", .habit = "3", .max_count = 2, .ratio = "1.5"},
      {.name = "other window", .burst = "4", .sum_window = "5m"},
      {.name = "other score", .burst = "5", .big_score = 51},
      {.name = "burst renamed", .burst_name = "flurry"},
      {.name = "all of it",
       .burst = "6",
       .habit = "2",
       .sum_window = "20m",
       .has_shop = true,
       .has_travel = false},
  };
  std::vector<RuleFiles> files;
  for (const Choices& choices : all) {
    RuleFiles& made = files.emplace_back();
    made.name = choices.name;
    made.rulesets = {Burst(registry, choices), Habit(registry, choices)};
    made.texts = {{made.rulesets[0].version, TextOf(made.rulesets[0].name, choices.burst)},
                  {made.rulesets[1].version, TextOf(made.rulesets[1].name, choices.habit)}};
  }
  return files;
}

Rules::Rules(const RuleFiles& files, const agents::AgentRegistry& registry,
             const DecodeOptions& decode, Budget budget)
    : name_(files.name) {
  const agents::StreamContext context = EngineHarness::ContextOf(decode);
  auto compiled =
      agents::CompiledRulesets::Compile(files.rulesets, registry, context, {.hash_seed = 0});
  if (!compiled.ok()) std::fprintf(stderr, "%s\n", agents::MessageOf(compiled.status()).c_str());
  CHECK(compiled.ok());
  plan_.rulesets = *std::move(compiled);
  plan_.encoder = std::make_shared<JsonAlertEncoder>(context.amount_scale, plan_.rulesets->infos());
  plan_.limits.rows_per_bucket = kRowsPerBucket;
  plan_.limits.max_bytes = budget == Budget::kWide
                               ? kWideBytes
                               : agents::BucketState::MinBytes(*plan_.rulesets, kRowsPerBucket);
  state_topics_.topics = {"state"};
  state_topics_.buckets = kBuckets;
  state_topics_.seed_fingerprint = agents::BucketImage::SeedFingerprint(0);
  state_topics_.layouts = {plan_.rulesets->layout().id};
  auto record =
      MakeRulesRecord(ManifestOf(plan_, decode.topic, state_topics_.seed_fingerprint), files.texts);
  CHECK(record.ok());
  state_topics_.rules = {*std::move(record)};
}

std::shared_ptr<agents::BucketState> Rules::Read(std::string_view image) const {
  auto restored = agents::BucketState::Parse(plan_.rulesets, plan_.limits, kBuckets, image);
  if (!restored.ok() || !restored->report.exact) return nullptr;
  return std::make_shared<agents::BucketState>(std::move(restored->state));
}

}  // namespace caracal::pipeline::sim
