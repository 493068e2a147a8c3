#include "agents/ruleset/bucket_restore.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/state/little_endian.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

using Rulesets = std::shared_ptr<const CompiledRulesets>;

constexpr uint32_t kBuckets = 16;

RuleSpec Keyed(std::string id, std::string attribute) {
  RuleSpec rule = CountRule(std::move(id), 1, 1);
  rule.key_suffix = {std::move(attribute)};
  return rule;
}

RuleSpec Wide(std::string id, int64_t bytes) {
  RuleSpec rule = CountRule(std::move(id), 1, 1);
  rule.parameters.Set("state_bytes", bytes);
  return rule;
}

Rulesets Rules(const std::vector<RuleSpec>& rules) {
  return CompileForTest({Ruleset("x", 0, rules)});
}

TableKey KeyOf(const std::string& text) { return TableKey::Of(text, HashKey(text, kTestSeed)); }

std::string ImageOf(const BucketState& bucket) {
  std::string image;
  bucket.AppendTo(kBuckets, image);
  return image;
}

/// The count of a rule, by name, in the record of a key; -1 = no such key.
int64_t CountOf(BucketState& bucket, const std::string& rule, const std::string& key) {
  const CompiledRulesets& rulesets = bucket.rulesets();
  for (const CompiledRule& compiled : rulesets.rules()) {
    if (rulesets.infos()[compiled.ruleset].rules[compiled.rule].id != rule) continue;
    const KeyTable::Handle handle = bucket.table(compiled.group).Find(KeyOf(key));
    if (handle == KeyTable::kNone) return -1;
    int64_t count;
    std::memcpy(&count, bucket.table(compiled.group).record(handle) + compiled.offset,
                sizeof(count));
    return count;
  }
  return -1;
}

/// A bucket that has seen `key` as often as `times` says.
BucketState Fed(const Rulesets& rulesets, const std::vector<std::pair<std::string, int>>& times,
                const BucketLimits& limits = {}) {
  TestEngine engine(rulesets, limits);
  int64_t time_us = 0;
  for (const auto& [key, count] : times) {
    for (int i = 0; i < count; ++i) {
      engine.Evaluate({{.key = key, .merchant = "m", .time_us = ++time_us}});
    }
  }
  return std::move(engine.bucket(0));
}

RestoredBucket Restored(const BucketState& bucket, const Rulesets& rulesets,
                        const BucketLimits& limits = {}) {
  auto restored = BucketState::Parse(rulesets, limits, kBuckets, ImageOf(bucket));
  EXPECT_TRUE(restored.ok()) << MessageOf(restored.status());
  return std::move(restored).value();
}

TEST(BucketRestoreTest, RestoresTheSavedBucketUnderItsOwnRules) {
  const Rulesets rulesets = Rules({CountRule("a", 1, 1), Wide("b", 24), Keyed("c", "merchant")});
  BucketState saved = Fed(rulesets, {{"k", 3}, {"l", 1}, {"a key of more than fifteen bytes", 2}});
  saved.rows().InsertIfNew(17);
  RestoredBucket restored = Restored(saved, rulesets);
  EXPECT_TRUE(restored.report.exact);
  EXPECT_EQ(restored.report.slices_carried, 3U);
  EXPECT_EQ(restored.report.slices_dropped, 0U);
  EXPECT_EQ(restored.report.slices_new, 0U);
  EXPECT_EQ(restored.state.Digest(), saved.Digest());
  EXPECT_EQ(restored.state.used_bytes(), saved.used_bytes());
  EXPECT_EQ(CountOf(restored.state, "a", "k"), 3);
  EXPECT_FALSE(restored.state.rows().InsertIfNew(17));
}

TEST(BucketRestoreTest, EmptyBucketsAndRulesWithoutStateHaveImagesToo) {
  for (const Rulesets& rulesets : {Rules({CountRule("a", 1, 1)}), Rules({AboveRule("s", 1, 1)})}) {
    const BucketState empty(rulesets, {});
    const RestoredBucket restored = Restored(empty, rulesets);
    EXPECT_TRUE(restored.report.exact);
    EXPECT_EQ(restored.state.Digest(), empty.Digest());
  }
}

TEST(BucketRestoreTest, CarriesKnownRulesOverDropsOthersAndStartsNewOnesEmpty) {
  const BucketState saved =
      Fed(Rules({CountRule("gone", 1, 1), CountRule("kept", 1, 1), Wide("wide", 40)}),
          {{"k", 3}, {"l", 1}});
  const Rulesets rulesets =
      Rules({Wide("wide", 40), Wide("new", 56), CountRule("kept", 1, 1), Wide("resized", 16)});
  RestoredBucket restored = Restored(saved, rulesets);
  EXPECT_FALSE(restored.report.exact);
  EXPECT_EQ(restored.report.slices_carried, 2U);
  EXPECT_EQ(restored.report.slices_dropped, 1U);
  EXPECT_EQ(restored.report.slices_new, 2U);
  EXPECT_EQ(restored.report.keys_dropped, 0U);
  for (const std::string rule : {"wide", "kept"}) {
    EXPECT_EQ(CountOf(restored.state, rule, "k"), 3) << rule;
    EXPECT_EQ(CountOf(restored.state, rule, "l"), 1) << rule;
  }
  for (const std::string rule : {"new", "resized"}) {
    EXPECT_EQ(CountOf(restored.state, rule, "k"), 0) << rule;
  }
  EXPECT_EQ(restored.state.table(0).newest_us(restored.state.table(0).Find(KeyOf("k"))), 3);
}

TEST(BucketRestoreTest, ARuleWithChangedParametersStartsEmpty) {
  const BucketState saved = Fed(Rules({CountRule("a", 1, 1), CountRule("b", 1, 1)}), {{"k", 3}});
  RestoredBucket restored = Restored(saved, Rules({CountRule("a", 2, 1), CountRule("b", 1, 1)}));
  EXPECT_EQ(CountOf(restored.state, "a", "k"), 0);
  EXPECT_EQ(CountOf(restored.state, "b", "k"), 3);
}

TEST(BucketRestoreTest, AGroupWithoutAnyKnownRuleStartsWithoutKeysAndMarks) {
  const Rulesets before = Rules({CountRule("a", 1, 1), Keyed("c", "merchant")});
  TestEngine engine(before, {BucketState::MinBytes(*before, 8), 8});
  for (int i = 0; i < 40; ++i) engine.Evaluate({{.key = std::to_string(i), .time_us = i}});
  ASSERT_GT(engine.bucket(0).table(1).evictions(), 0U);
  const uint64_t evictions = engine.bucket(0).table(0).evictions();
  const size_t keys = engine.bucket(0).table(1).size();
  RestoredBucket restored =
      Restored(engine.bucket(0), Rules({CountRule("a", 1, 1), Keyed("d", "merchant")}));
  EXPECT_EQ(restored.report.keys_dropped, keys);
  EXPECT_EQ(restored.state.table(0).evictions(), evictions);
  EXPECT_EQ(restored.state.table(1).evictions(), 0U);
  EXPECT_EQ(restored.state.table(1).size(), 0U);
  const KeyTable::Handle made = restored.state.FindOrInsert(1, KeyOf("x"));
  EXPECT_FALSE(restored.state.table(1).truncated(made));
}

TEST(BucketRestoreTest, CarriesTheRowsOverUnderAllRules) {
  BucketState saved(Rules({CountRule("a", 1, 1)}), {});
  for (uint64_t tag = 1; tag <= 9; ++tag) saved.rows().InsertIfNew(tag);
  RestoredBucket restored = Restored(saved, Rules({CountRule("z", 1, 1)}));
  EXPECT_EQ(restored.state.rows().size(), 9U);
  EXPECT_EQ(restored.report.slices_carried, 0U);
}

TEST(BucketRestoreTest, WhatExceedsSmallerLimitsIsEvictedAndSaysSo) {
  const Rulesets rulesets = Rules({CountRule("a", 1, 1)});
  const size_t per_key = KeyTable::BytesPerKey(rulesets->layout().groups[0].record);
  TestEngine engine(rulesets, {1 << 20, 10});
  for (int i = 0; i < 100; ++i) {
    engine.Evaluate({{.key = std::to_string(i), .time_us = i, .row = static_cast<uint64_t>(i)}});
  }
  const BucketLimits limits{RowFilter::MaxBytes(4) + 50 * per_key, 4};
  RestoredBucket restored = Restored(engine.bucket(0), rulesets, limits);
  EXPECT_FALSE(restored.report.exact);
  // Sixteenths of 100, 94, 89, ... until at most 50 are left.
  EXPECT_EQ(restored.report.keys_evicted, 52U);
  EXPECT_EQ(restored.report.rows_forgotten, 6U);
  EXPECT_EQ(restored.state.keys(), 48U);
  EXPECT_EQ(restored.state.evictions(), 52U);
  EXPECT_LE(restored.state.used_bytes(), limits.max_bytes);
  EXPECT_EQ(CountOf(restored.state, "a", "51"), -1);
  EXPECT_EQ(CountOf(restored.state, "a", "52"), 1);
  EXPECT_FALSE(restored.state.rows().InsertIfNew(96));
  EXPECT_TRUE(restored.state.rows().InsertIfNew(95));
}

TEST(BucketRestoreTest, LargerRecordsNeverAllocateBeyondTheLimits) {
  const BucketState saved = Fed(Rules({CountRule("a", 1, 1)}), {{"k", 1}, {"l", 1}});
  BucketState many(Rules({CountRule("a", 1, 1)}), {});
  for (int i = 0; i < 2000; ++i) many.FindOrInsert(0, KeyOf(std::to_string(i)));
  // Two thousand records of 60 KB would be 120 MB.
  const Rulesets rulesets = Rules({CountRule("a", 1, 1), Wide("huge", 60'000)});
  const BucketLimits limits{size_t{4} << 20, 16};
  const RestoredBucket restored = Restored(many, rulesets, limits);
  EXPECT_GT(restored.report.keys_evicted, 1900U);
  EXPECT_LE(restored.state.used_bytes(), limits.max_bytes);
  EXPECT_LE(restored.state.bytes(), 2 * limits.max_bytes);
}

TEST(BucketRestoreTest, RefusesAnotherHashSeedAndAnotherNumberOfBuckets) {
  const Rulesets rulesets = Rules({CountRule("a", 1, 1)});
  const std::string image = ImageOf(Fed(rulesets, {{"k", 1}}));
  const auto halved = BucketState::Parse(rulesets, {}, kBuckets / 2, image);
  EXPECT_TRUE(absl::IsFailedPrecondition(halved.status()));
  EXPECT_EQ(MessageOf(halved.status()),
            "the image of a bucket was made with 16 buckets per partition, now there are 8: its "
            "keys are in other buckets");
  AgentRegistry registry;
  RegisterTestAgents(registry);
  const std::vector<RulesetSpec> specs = {Ruleset("x", 0, {CountRule("a", 1, 1)})};
  const auto reseeded =
      CompiledRulesets::Compile(specs, registry, TestStreamContext(), {.hash_seed = kTestSeed + 1});
  const auto other = BucketState::Parse(*reseeded, {}, kBuckets, image);
  EXPECT_TRUE(absl::IsFailedPrecondition(other.status()));
}

TEST(BucketRestoreTest, RefusesALayoutThatIsNotWhatItsIdSays) {
  const Rulesets rulesets = Rules({CountRule("a", 1, 1), CountRule("b", 1, 1)});
  const Rulesets other = Rules({CountRule("a", 1, 1), CountRule("c", 1, 1)});
  std::string image = ImageOf(Fed(other, {{"k", 1}}));
  StoreLittleEndian(rulesets->layout().id.low, &image[16]);
  StoreLittleEndian(rulesets->layout().id.high, &image[24]);
  EXPECT_TRUE(absl::IsDataLoss(BucketState::Parse(rulesets, {}, kBuckets, image).status()));
}

TEST(BucketRestoreTest, RefusesAKnownRuleWithAStateOfAnotherSize) {
  const Rulesets saved = Rules({Wide("a", 16)});
  std::string image = ImageOf(BucketState(saved, {}));
  StoreLittleEndian(uint32_t{24}, &image[88]);  // the size of the only slice
  const Rulesets rulesets = Rules({Wide("a", 16), CountRule("b", 1, 1)});
  const auto restored = BucketState::Parse(rulesets, {}, kBuckets, image);
  EXPECT_TRUE(absl::IsDataLoss(restored.status()));
  EXPECT_EQ(MessageOf(restored.status()),
            "the image of a bucket has 24 bytes where a rule's state has 16");
}

TEST(BucketRestoreTest, RefusesARowNamedTwice) {
  const Rulesets rulesets = Rules({CountRule("a", 1, 1)});
  BucketState bucket(rulesets, {});
  bucket.rows().InsertIfNew(1);
  bucket.rows().InsertIfNew(2);
  std::string image = ImageOf(bucket);
  image[image.size() - 8] = '\1';
  EXPECT_TRUE(absl::IsDataLoss(BucketState::Parse(rulesets, {}, kBuckets, image).status()));
}

TEST(BucketRestoreTest, TakesOverOnlyTheStatesAskedFor) {
  const Rulesets rulesets = Rules({CountRule("a", 1, 1), CountRule("b", 1, 1)});
  const BucketState bucket = Fed(rulesets, {{"k", 3}});
  const KeyGroup& group = rulesets->layout().groups[0];
  const RulesetInfo& info = rulesets->infos()[0];
  const StateSlice& first = group.slices[0];
  const std::vector<StateDigest> carried = {first.id};
  auto restored = BucketState::Parse(rulesets, {}, kBuckets, ImageOf(bucket), carried);
  ASSERT_TRUE(restored.ok()) << MessageOf(restored.status());
  EXPECT_EQ(restored->report.slices_carried, 1U);
  EXPECT_EQ(restored->report.slices_new, 1U);
  EXPECT_FALSE(restored->report.exact);
  EXPECT_EQ(CountOf(restored->state, info.rules[first.rule].id, "k"), 3);
  EXPECT_EQ(CountOf(restored->state, info.rules[group.slices[1].rule].id, "k"), 0);
}

TEST(BucketRestoreTest, WithNothingAskedForOnlyTheRowsRemain) {
  const Rulesets rulesets = Rules({CountRule("a", 1, 1)});
  TestEngine engine(rulesets, {});
  engine.Evaluate({{.key = "k", .row = 7}});
  auto restored = BucketState::Parse(rulesets, {}, kBuckets, ImageOf(engine.bucket(0)),
                                     std::vector<StateDigest>());
  ASSERT_TRUE(restored.ok()) << MessageOf(restored.status());
  EXPECT_EQ(CountOf(restored->state, "a", "k"), -1);
  EXPECT_FALSE(restored->state.rows().InsertIfNew(7));
}

}  // namespace
}  // namespace caracal::agents
