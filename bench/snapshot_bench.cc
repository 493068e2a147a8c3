// Bytes per second at which a bucket of 10,000 keys becomes an image and an image a bucket, for
// small records (a count per card), for those of a card's velocity and profile rules, and for the
// same with a full row filter; and the same image in chunks and back. Counter: bytes of the image.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/state/key_hash.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/bucket_chunks.h"
#include "tests/support/rule_harness.h"

namespace caracal::agents {
namespace {

using testing::Duration;
using testing::Exact;
using testing::Number;
using testing::Object;

constexpr uint64_t kSeed = 42;
constexpr uint32_t kBuckets = 64;
constexpr size_t kKeys = 10'000;
constexpr BucketLimits kLimits{size_t{64} << 20, 16 * 1024};

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

std::shared_ptr<const CompiledRulesets> Compile(bool profile) {
  static const AgentRegistry* const registry = [] {
    auto* filled = new AgentRegistry;
    CHECK(RegisterBuiltinAgents(*filled).ok());
    return filled;
  }();
  RulesetSpec ruleset;
  ruleset.name = "card-risk";
  ruleset.rules = {Rule(*registry, "burst", "velocity",
                        {{"window", Duration("60s")}, {"max_count", Number(5)}})};
  if (profile) {
    ruleset.rules.push_back(
        Rule(*registry, "profile", "amount", {{"profile", Object({{"ratio", Exact("3")}})}}));
  }
  StreamContext stream;
  stream.topic = "bank.public.transactions";
  return CompiledRulesets::Compile(std::vector{ruleset}, *registry, stream, {.hash_seed = kSeed})
      .value();
}

BucketState MakeBucket(const std::shared_ptr<const CompiledRulesets>& rulesets, bool rows) {
  BucketState bucket(rulesets, kLimits);
  std::mt19937_64 random(kSeed);
  const uint32_t record_bytes = rulesets->layout().groups[0].record.size;
  while (bucket.keys() < kKeys) {
    const std::string key = std::to_string(100'000'000'000 + random() % 1'000'000'000);
    const auto handle = bucket.FindOrInsert(0, TableKey::Of(key, HashKey(key, kSeed)));
    bucket.table(0).Touch(handle, static_cast<int64_t>(random() % 1'000'000'000));
    std::byte* record = bucket.table(0).record(handle);
    for (uint32_t i = 0; i + 8 <= record_bytes; i += 8) {
      const uint64_t word = random();
      std::memcpy(record + i, &word, sizeof(word));
    }
  }
  for (uint32_t i = 0; rows && i < kLimits.rows_per_bucket; ++i)
    bucket.rows().InsertIfNew(random());
  return bucket;
}

void Report(benchmark::State& state, size_t image_bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * image_bytes));
  state.counters["image_bytes"] = static_cast<double>(image_bytes);
}

void BM_Append(benchmark::State& state) {
  const BucketState bucket = MakeBucket(Compile(state.range(0) != 0), state.range(1) != 0);
  std::string image;
  for (auto _ : state) {
    image.clear();
    bucket.AppendTo(kBuckets, image);
    benchmark::DoNotOptimize(image.data());
  }
  Report(state, image.size());
}

/// Makes a tenth more keys; returns the whole image of before.
std::string ChangeSome(BucketState& bucket) {
  std::string whole;
  bucket.AppendTo(kBuckets, whole);
  bucket.BeginChanges();
  std::mt19937_64 random(kSeed + 1);
  for (size_t i = 0; i < kKeys / 10; ++i) {
    const std::string key = std::to_string(100'000'000'000 + random() % 1'000'000'000);
    const auto handle = bucket.FindOrInsert(0, TableKey::Of(key, HashKey(key, kSeed)));
    bucket.table(0).Touch(handle, 1'000'000'000);
  }
  return whole;
}

void BM_AppendChanges(benchmark::State& state) {
  BucketState bucket = MakeBucket(Compile(/*profile=*/true), /*rows=*/true);
  ChangeSome(bucket);
  std::string image;
  for (auto _ : state) {
    image.clear();
    bucket.AppendChangesTo(kBuckets, image);
    benchmark::DoNotOptimize(image.data());
  }
  Report(state, image.size());
}

void BM_WithChanges(benchmark::State& state) {
  BucketState bucket = MakeBucket(Compile(/*profile=*/true), /*rows=*/true);
  const std::string whole = ChangeSome(bucket);
  std::string changes;
  bucket.AppendChangesTo(kBuckets, changes);
  for (auto _ : state) {
    auto image = BucketImage::WithChanges(whole, changes);
    CHECK(image.ok());
    benchmark::DoNotOptimize(image->data());
  }
  Report(state, whole.size());
}

void BM_Parse(benchmark::State& state) {
  const auto rulesets = Compile(state.range(0) != 0);
  std::string image;
  MakeBucket(rulesets, state.range(1) != 0).AppendTo(kBuckets, image);
  for (auto _ : state) {
    auto bucket = BucketState::Parse(rulesets, kLimits, kBuckets, image);
    CHECK(bucket.ok() && bucket->report.exact);
    benchmark::DoNotOptimize(bucket->state.keys());
  }
  Report(state, image.size());
}

pipeline::BucketSnapshot MakeSnapshot() {
  const auto rulesets = Compile(/*profile=*/true);
  pipeline::BucketSnapshot snapshot{.place = {"bank.public.transactions", 0, 0},
                                    .id = {1, rulesets->layout().id},
                                    .buckets = kBuckets,
                                    .seed_fingerprint = 1,
                                    .image = {}};
  MakeBucket(rulesets, /*rows=*/true).AppendTo(kBuckets, snapshot.image);
  return snapshot;
}

void BM_Chunk(benchmark::State& state) {
  const pipeline::BucketSnapshot snapshot = MakeSnapshot();
  for (auto _ : state) {
    const pipeline::BucketChunks chunks(snapshot);
    for (uint32_t i = 0; i < chunks.size(); ++i) benchmark::DoNotOptimize(chunks.Record(i));
  }
  Report(state, snapshot.image.size());
}

void BM_Assemble(benchmark::State& state) {
  const pipeline::BucketSnapshot snapshot = MakeSnapshot();
  const pipeline::BucketChunks chunks(snapshot);
  std::vector<pipeline::StateRecord> records;
  for (uint32_t i = 0; i < chunks.size(); ++i) records.push_back(chunks.Record(i));
  pipeline::AssemblerOptions options;
  options.topic = snapshot.place.topic;
  options.buckets = kBuckets;
  options.seed_fingerprint = snapshot.seed_fingerprint;
  options.layout = snapshot.id.layout;
  options.committed = snapshot.id.offset;
  for (auto _ : state) {
    pipeline::BucketAssembler assembler(options);
    for (const pipeline::StateRecord& record : records) assembler.Add(record.key, record.value);
    CHECK(assembler.Finish().snapshots.size() == 1);
  }
  Report(state, snapshot.image.size());
}

void Shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"profile", "rows"})->Args({0, 0})->Args({1, 0})->Args({1, 1});
}

BENCHMARK(BM_Append)->Apply(Shapes);
BENCHMARK(BM_AppendChanges);
BENCHMARK(BM_WithChanges);
BENCHMARK(BM_Parse)->Apply(Shapes);
BENCHMARK(BM_Chunk);
BENCHMARK(BM_Assemble);

}  // namespace
}  // namespace caracal::agents

BENCHMARK_MAIN();
