#include "tests/simulation/model.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "agents/ruleset/bucket_image.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "pipeline/emit/raw_dead_letter_encoder.h"
#include "tests/support/engine_harness.h"
#include "tests/support/rule_harness.h"

namespace caracal::pipeline::sim {
namespace {

using agents::testing::Duration;
using agents::testing::Exact;
using agents::testing::Number;

constexpr uint32_t kRowsPerBucket = 24;
constexpr int64_t kStartMicros = 1'772'620'927'000'000;

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

std::vector<agents::RulesetSpec> Rulesets(const agents::AgentRegistry& registry) {
  using agents::testing::MakeParameters;
  agents::RulesetSpec burst = {.name = "burst", .version = "000000000001", .alert_above = 50};
  burst.rules = {
      Rule(registry, "count", "velocity", 60,
           MakeParameters({{"window", Duration("60s")}, {"max_count", Number(3)}})),
      Rule(registry, "sum", "velocity", 40,
           MakeParameters({{"window", Duration("10m")}, {"max_amount", Exact("600.00")}})),
      Rule(registry, "big", "amount", 30, MakeParameters({{"above", Exact("150.00")}})),
  };
  agents::RulesetSpec habit = {.name = "habit", .version = "000000000002", .alert_above = 10};
  habit.rules = {
      Rule(registry, "unusual", "amount", 20,
           MakeParameters({{"profile", agents::testing::Object({{"history", Number(5)},
                                                                {"min_history", Number(2)},
                                                                {"ratio", Exact("2")},
                                                                {"floor", Exact("20.00")}})}})),
      Rule(registry, "travel", "geo", 15,
           MakeParameters({{"max_speed_kmh", Exact("900")}, {"min_distance_km", Exact("50")}})),
  };
  return {std::move(burst), std::move(habit)};
}

std::string Payment(int64_t id, const std::string& account, int64_t time_us, Random& random) {
  return fmt::format(
      R"({{"id":{},"user_id":"{}","amount":"{}.{:02}","created_at":{},"lat":{},"lon":{},)"
      R"("merchant":"m{}","country":"DE"}})",
      id, account, random.Percent(10) ? random.Below(400) : random.Below(40), random.Below(100),
      time_us, 48 + random.Below(4), 8 + random.Below(4), random.Below(5));
}

/// Bytes that do not yield a payment, of several kinds.
std::string Poison(Random& random) {
  static const std::vector<std::string> kPoison = {
      "{\"id\":1,",
      "{\"id\":1,\"user_id\":null,\"amount\":\"1.00\",\"created_at\":1772620927000000}",
      "{\"id\":1,\"user_id\":\"a\",\"amount\":\"NaN\",\"created_at\":1772620927000000}",
      "{\"id\":1,\"user_id\":\"a\",\"created_at\":1772620927000000}",
      "not json",
  };
  return random.Pick(kPoison);
}

}  // namespace

Model::Model() : decode_(EngineHarness::DefaultDecode()) {
  CHECK(agents::RegisterBuiltinAgents(registry_).ok());
  const agents::StreamContext context = EngineHarness::ContextOf(decode_);
  auto compiled =
      agents::CompiledRulesets::Compile(Rulesets(registry_), registry_, context, {.hash_seed = 0});
  if (!compiled.ok()) std::fprintf(stderr, "%s\n", agents::MessageOf(compiled.status()).c_str());
  CHECK(compiled.ok());
  plan_.rulesets = *std::move(compiled);
  plan_.encoder = std::make_shared<JsonAlertEncoder>(context.amount_scale, plan_.rulesets->infos());
  plan_.limits.rows_per_bucket = kRowsPerBucket;
  plan_.limits.max_bytes = agents::BucketState::MinBytes(*plan_.rulesets, kRowsPerBucket);
  state_topics_.topics = {"state"};
  state_topics_.buckets = kBuckets;
  state_topics_.seed_fingerprint = agents::BucketImage::SeedFingerprint(0);
  state_topics_.layouts = {plan_.rulesets->layout().id};
  RulesManifest manifest;
  manifest.topic = decode_.topic;
  manifest.buckets = kBuckets;
  manifest.seed_fingerprint = state_topics_.seed_fingerprint;
  std::vector<RulesetText> texts;
  for (const agents::RulesetInfo& info : plan_.rulesets->infos()) {
    manifest.rulesets.push_back({info.version, info.name});
    texts.push_back({info.version, "the text of " + info.name});
  }
  for (const agents::KeyGroup& group : plan_.rulesets->layout().groups) {
    for (const agents::StateSlice& slice : group.slices) manifest.states.push_back({slice.id, ""});
  }
  auto rules = MakeRulesRecord(std::move(manifest), std::move(texts));
  CHECK(rules.ok());
  state_topics_.rules = {*std::move(rules)};
}

std::shared_ptr<agents::BucketState> Model::Read(std::string_view image) const {
  auto restored = agents::BucketState::Parse(plan_.rulesets, plan_.limits, kBuckets, image);
  if (!restored.ok() || !restored->report.exact) return nullptr;
  return std::make_shared<agents::BucketState>(std::move(restored->state));
}

Workload Workload::Make(int32_t partitions, Random& random) {
  Workload workload;
  workload.poison.resize(static_cast<size_t>(partitions));
  int64_t next_id = 1;
  for (int32_t p = 0; p < partitions; ++p) {
    std::vector<FakeRecord>& log = workload.logs.emplace_back();
    const int64_t length = random.Between(10, 300);
    // Few: their keys change with every copy. Some: most of them do not. Many: keys are evicted.
    const int64_t most[] = {9, 40, 40, 80};
    const int64_t accounts = random.Between(1, most[random.Below(std::ssize(most))]);
    int64_t now_us = kStartMicros;
    for (int64_t offset = 0; offset < length; ++offset) {
      now_us += random.Below(random.Percent(10) ? 3'600'000'000 : 20'000'000);
      FakeRecord record;
      record.timestamp_ms = now_us / 1000;
      record.key = fmt::format("p{}-{}", p, random.Below(accounts));
      const int64_t kind = random.Below(100);
      if (kind < 4) {
        workload.poison[static_cast<size_t>(p)].insert(offset);
        record.value = Poison(random);
      } else if (kind < 7) {
        record.null_value = true;
      } else if (kind < 14 && offset > 0) {
        // Upstream sends a row again.
        const FakeRecord& again = log[static_cast<size_t>(random.Below(offset))];
        if (again.null_value) {
          record.null_value = true;
        } else {
          record.value = again.value;
          if (workload.poison[static_cast<size_t>(p)].contains(&again - log.data())) {
            workload.poison[static_cast<size_t>(p)].insert(offset);
          }
        }
      } else {
        record.value = Payment(next_id++, record.key, now_us - random.Below(90'000'000), random);
      }
      log.push_back(std::move(record));
    }
  }
  return workload;
}

Expected JudgeFresh(const Model& model, int32_t partition, const std::vector<FakeRecord>& log) {
  Decoder decoder(model.decode());
  const RawDeadLetterEncoder dead_letters;
  Worker worker({model.plan()}, Model::kBuckets, /*index=*/0, /*workers=*/1);
  const auto lease =
      std::make_shared<PartitionLease>(1, uint16_t{0}, model.decode().topic, partition, 0);
  worker.Handle(OpenPartition{lease, nullptr});
  Expected expected;
  expected.digests.resize(Model::kBuckets);
  const auto note_digest = [&](size_t bucket, int64_t offset) {
    expected.digests[bucket].emplace_back(offset, worker.BucketDigests(*lease)[bucket]);
  };
  for (size_t bucket = 0; bucket < Model::kBuckets; ++bucket) note_digest(bucket, 0);
  auto records = std::make_shared<FakeRecordBatch>();
  for (size_t i = 0; i < log.size(); ++i) records->Add(lease, static_cast<int64_t>(i), log[i]);
  for (size_t i = 0; i < log.size(); ++i) {
    auto storage = std::make_shared<EventStorage>();
    storage->records = records;
    Event event;
    const DecodeResult result = decoder.Decode(*records, i, storage->arena, event);
    const auto offset = static_cast<int64_t>(i);
    if (result.outcome == DecodeOutcome::kTransaction) {
      const size_t bucket = agents::BucketOf(event.key_hash, Model::kBuckets);
      EventBatch batch = {{event}, storage};
      worker.Handle(batch);
      note_digest(bucket, offset + 1);
    } else if (result.outcome == DecodeOutcome::kReject) {
      OutputRecord output =
          dead_letters.EncodeDeadLetter(*records, i, result.reject_reason, result.detail);
      output.lease = lease;
      output.offset = offset;
      expected.outputs.push_back(OutputOf(output));
    }
  }
  for (const OutputRecord& output : worker.Handle(Barrier{1, {}}).outputs) {
    expected.outputs.push_back(OutputOf(output));
  }
  std::sort(expected.outputs.begin(), expected.outputs.end(), [](const Output& a, const Output& b) {
    return std::tie(a.offset, a.kind, a.sequence) < std::tie(b.offset, b.kind, b.sequence);
  });
  return expected;
}

}  // namespace caracal::pipeline::sim
