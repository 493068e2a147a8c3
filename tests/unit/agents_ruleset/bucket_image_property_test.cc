// Random streams, saved and restored at random places: from then on nobody can tell the buckets
// apart. And random damage: an image is refused, or is that of another bucket, byte for byte.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_state.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

using Rulesets = std::shared_ptr<const CompiledRulesets>;

constexpr uint32_t kBuckets = 3;
constexpr uint32_t kRows = 32;

RuleSpec RandomRule(std::mt19937& random, const std::string& id) {
  RuleSpec rule = CountRule(id, static_cast<int64_t>(random() % 4 + 1), 1);
  rule.parameters.Set("state_bytes", static_cast<int64_t>(8 + random() % 40));  // gaps, too
  if (random() % 3 == 0) rule.key_suffix = {"merchant"};
  if (random() % 4 == 0) rule.key_suffix.push_back("country");
  if (random() % 4 == 0) rule.filters = {{"country", {"c1", "c2"}}};
  return rule;
}

std::vector<RuleSpec> RandomRules(std::mt19937& random) {
  std::vector<RuleSpec> rules;
  for (size_t i = 0; i < random() % 4 + 1; ++i) {
    rules.push_back(RandomRule(random, "r" + std::to_string(i)));
  }
  return rules;
}

Rulesets Compile(const std::vector<RuleSpec>& rules) {
  return CompileForTest({Ruleset("x", 0, rules)});
}

std::vector<TestEvent> RandomEvents(std::mt19937& random, size_t count) {
  std::vector<TestEvent> events(count);
  for (size_t i = 0; i < count; ++i) {
    TestEvent& event = events[i];
    event.key = "key" + std::to_string(std::min(random() % 90, random() % 90));
    if (random() % 5 == 0) event.key += " is longer than fifteen bytes";
    if (random() % 10 != 0) event.merchant = "m" + std::to_string(random() % 3);
    event.country = "c" + std::to_string(random() % 4);
    event.time_us = static_cast<int64_t>(i) - static_cast<int64_t>(random() % 300);
    if (random() % 3 == 0) event.row = random() % 100;
    event.raise = random() % 8 != 0;
  }
  return events;
}

std::string ImageOf(const BucketState& bucket) {
  std::string image;
  bucket.AppendTo(kBuckets, image);
  return image;
}

/// From the least a bucket works with, so that evictions are frequent, to ten times that.
BucketLimits RandomLimits(std::mt19937& random, const CompiledRulesets& rulesets) {
  return {BucketState::MinBytes(rulesets, kRows) * (random() % 10 + 1), kRows};
}

uint64_t EvictionsOf(TestEngine& engine) {
  uint64_t evictions = 0;
  for (size_t i = 0; i < kBuckets; ++i) evictions += engine.bucket(i).evictions();
  return evictions;
}

/// An engine whose buckets are read from the images of `from`.
std::unique_ptr<TestEngine> RestoredEngine(TestEngine& from, const Rulesets& rulesets,
                                           const BucketLimits& limits) {
  auto engine = std::make_unique<TestEngine>(rulesets, limits, kBuckets);
  for (size_t i = 0; i < kBuckets; ++i) {
    const std::string image = ImageOf(from.bucket(i));
    auto restored = BucketState::Parse(rulesets, limits, kBuckets, image);
    EXPECT_TRUE(restored.ok()) << MessageOf(restored.status());
    EXPECT_TRUE(restored->report.exact);
    EXPECT_EQ(ImageOf(restored->state), image);
    engine->bucket(i) = std::move(restored->state);
  }
  return engine;
}

void ExpectEqualBuckets(TestEngine& one, TestEngine& other) {
  EXPECT_EQ(one.Digests(), other.Digests());
  for (size_t i = 0; i < kBuckets; ++i) {
    EXPECT_EQ(one.bucket(i).used_bytes(), other.bucket(i).used_bytes());
    EXPECT_EQ(one.bucket(i).evictions(), other.bucket(i).evictions());
    EXPECT_EQ(one.bucket(i).keys(), other.bucket(i).keys());
  }
}

TEST(BucketImagePropertyTest, RestoredBucketsGoOnLikeTheSavedOnes) {
  uint64_t evictions = 0;
  uint64_t duplicates = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const Rulesets rulesets = Compile(RandomRules(random));
    const BucketLimits limits = RandomLimits(random, *rulesets);
    TestEngine before(rulesets, limits, kBuckets);
    before.Evaluate(RandomEvents(random, random() % 800), 0, random);
    const auto restored = RestoredEngine(before, rulesets, limits);
    ExpectEqualBuckets(*restored, before);
    TestEngine moved(rulesets, limits, kBuckets);
    for (size_t i = 0; i < kBuckets; ++i) moved.bucket(i) = std::move(before.bucket(i));
    const std::vector<TestEvent> suffix = RandomEvents(random, 800);
    moved.Evaluate(suffix, 0, random);
    restored->Evaluate(suffix, 0, random);
    ASSERT_EQ(restored->judgements(), moved.judgements());
    ASSERT_EQ(restored->counts().duplicates, moved.counts().duplicates);
    ExpectEqualBuckets(*restored, moved);
    evictions += EvictionsOf(moved);
    duplicates += moved.counts().duplicates;
  }
  EXPECT_GT(evictions, 1000U);
  EXPECT_GT(duplicates, 1000U);
}

// Restoring into smaller limits is restoring and evicting.
TEST(BucketImagePropertyTest, SmallerLimitsEvictAsTheBucketItselfWould) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const Rulesets rulesets = Compile(RandomRules(random));
    const size_t least = BucketState::MinBytes(*rulesets, kRows);
    TestEngine engine(rulesets, {least * 8, kRows});
    engine.Evaluate(RandomEvents(random, 600), 0, random);
    const BucketLimits smaller{least + random() % (least * 6), kRows};
    auto restored = BucketState::Parse(rulesets, smaller, 1, [&engine] {
      std::string image;
      engine.bucket(0).AppendTo(1, image);
      return image;
    }());
    ASSERT_TRUE(restored.ok());
    BucketState& model = engine.bucket(0);
    const uint64_t before = model.evictions();
    while (model.used_bytes() > smaller.max_bytes) model.EvictOldest();
    EXPECT_EQ(restored->state.Digest(), model.Digest());
    EXPECT_EQ(restored->report.keys_evicted, model.evictions() - before);
    EXPECT_EQ(restored->report.exact, model.evictions() == before);
  }
}

/// The judgements that name one rule of the ruleset, as "event: observed".
std::vector<std::string> JudgementsOf(const TestEngine& engine, size_t rule) {
  std::vector<std::string> found;
  const std::string mark = " " + std::to_string(rule) + "=";
  for (const std::string& judgement : engine.judgements()) {
    const size_t at = (judgement + " ").find(mark);
    if (at == std::string::npos) continue;
    const size_t end = (judgement + " ").find(' ', at + 1);
    found.push_back(judgement.substr(0, judgement.find('/')) + ":" +
                    judgement.substr(at + mark.size(), end - at - mark.size()));
  }
  return found;
}

// A change of rules: rules that stay go on as if nothing had happened, new ones as if the stream
// had just begun.
TEST(BucketImagePropertyTest, CarriedRulesGoOnAndNewOnesBegin) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const RuleSpec kept = RandomRule(random, "kept");
    const RuleSpec gone = RandomRule(random, "gone");
    const RuleSpec fresh = RandomRule(random, "fresh");
    const Rulesets before =
        Compile(random() % 2 == 0 ? std::vector{kept, gone} : std::vector{gone, kept});
    const Rulesets after = Compile({fresh, kept});
    const BucketLimits roomy{size_t{1} << 20, kRows};
    const std::vector<TestEvent> prefix = RandomEvents(random, 500);
    const std::vector<TestEvent> suffix = RandomEvents(random, 500);
    TestEngine old_rules(before, roomy);
    old_rules.Evaluate(prefix, 0, random);
    std::string image;
    old_rules.bucket(0).AppendTo(1, image);
    auto carried = BucketState::Parse(after, roomy, 1, image);
    ASSERT_TRUE(carried.ok());
    EXPECT_EQ(carried->report.slices_carried, 1U);
    EXPECT_EQ(carried->report.slices_dropped, 1U);
    EXPECT_EQ(carried->report.slices_new, 1U);
    TestEngine changed(after, roomy);
    changed.bucket(0) = std::move(carried->state);
    changed.Evaluate(suffix, 0, random);

    TestEngine unchanged(Compile({kept}), roomy);
    unchanged.Evaluate(prefix, 0, random);
    const size_t before_change = JudgementsOf(unchanged, 0).size();
    unchanged.Evaluate(suffix, 0, random);
    std::vector<std::string> expected = JudgementsOf(unchanged, 0);
    expected.erase(expected.begin(), expected.begin() + static_cast<ptrdiff_t>(before_change));
    std::vector<std::string> found = JudgementsOf(changed, 1);
    for (std::string& judgement : found) {  // numbered from the change on
      judgement = std::to_string(std::stoul(judgement) + prefix.size()) +
                  judgement.substr(judgement.find(':'));
    }
    EXPECT_EQ(found, expected);

    // Rows seen before the change are duplicates after it, for new rules too.
    TestEngine begun(Compile({fresh}), roomy);
    for (const TestEvent& event : prefix) {
      if (event.row.has_value()) begun.bucket(0).rows().InsertIfNew(*event.row);
    }
    begun.Evaluate(suffix, 0, random);
    EXPECT_EQ(JudgementsOf(changed, 0), JudgementsOf(begun, 0));
  }
}

TEST(BucketImagePropertyTest, AChangedImageIsRefusedOrThatOfAnotherBucket) {
  uint64_t refused = 0;
  uint64_t accepted = 0;
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const Rulesets rulesets = Compile(RandomRules(random));
    const BucketLimits limits = RandomLimits(random, *rulesets);
    TestEngine engine(rulesets, limits, kBuckets);
    engine.Evaluate(RandomEvents(random, 200), 0, random);
    const std::string image = ImageOf(engine.bucket(0));
    for (int i = 0; i < 300; ++i) {
      std::string changed = image;
      const size_t at = random() % changed.size();
      switch (random() % 4) {
        case 0:
          changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
          break;
        case 1:
          changed.resize(at);
          break;
        case 2:
          changed.erase(at, random() % 16 + 1);
          break;
        default:
          changed.insert(at, changed.substr(random() % changed.size(), random() % 16));
      }
      const auto restored = BucketState::Parse(rulesets, limits, kBuckets, changed);
      if (!restored.ok()) {
        ++refused;
        continue;
      }
      ++accepted;
      if (restored->report.exact) {
        ASSERT_EQ(ImageOf(restored->state), changed);
      }
    }
  }
  EXPECT_GT(refused, 3000U);
  EXPECT_GT(accepted, 100U);  // times and records may have any bytes
}

}  // namespace
}  // namespace caracal::agents
