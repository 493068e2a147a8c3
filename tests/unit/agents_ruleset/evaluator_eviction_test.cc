#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agents/ruleset/evaluator.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

using Texts = std::vector<std::string>;

constexpr uint32_t kRows = 8;

/// As small as a bucket may be: sixteen events with a new key in every group fill it.
BucketLimits Smallest(const CompiledRulesets& rulesets) {
  return {BucketState::MinBytes(rulesets, kRows), kRows};
}

std::shared_ptr<const CompiledRulesets> OneRule() {
  return CompileForTest({Ruleset("x", 0, {CountRule("r", 1, 1)})});
}

std::vector<TestEvent> NewKeys(int count, int64_t first_time_us) {
  std::vector<TestEvent> events;
  for (int i = 0; i < count; ++i) {
    events.push_back({.key = "k" + std::to_string(i), .time_us = first_time_us + i});
  }
  return events;
}

TEST(EvaluatorEvictionTest, KeyThatComesBackStartsAnewAndSaysSo) {
  const auto rulesets = OneRule();
  TestEngine engine(rulesets, Smallest(*rulesets));
  std::vector<TestEvent> events = NewKeys(17, 100);  // the last one evicts k0
  events.push_back({.key = "k0", .time_us = 200});   // evicts k1
  events.push_back({.key = "k5", .time_us = 201});
  engine.Evaluate(events);
  const Texts& judgements = engine.judgements();
  EXPECT_EQ(judgements[15], "15/0 1 0=1");
  EXPECT_EQ(judgements[16], "16/0 1 truncated 0=1");  // made after the eviction
  EXPECT_EQ(judgements[17], "17/0 1 truncated 0=1");  // k0 lost its count
  EXPECT_EQ(judgements[18], "18/0 1 0=2");            // k5 was never evicted
  EXPECT_EQ(engine.bucket(0).evictions(), 2U);
  EXPECT_EQ(engine.bucket(0).keys(), 16U);
}

TEST(EvaluatorEvictionTest, KeysTouchedEarlierInTheBatchCountAsTouched) {
  const auto rulesets = OneRule();
  TestEngine engine(rulesets, Smallest(*rulesets));
  engine.Evaluate(NewKeys(16, 100));
  // k0 was the oldest; its new time must be known when the new key evicts.
  engine.Evaluate({{.key = "k0", .time_us = 300}, {.key = "new", .time_us = 301}, {.key = "k0"}});
  EXPECT_EQ(engine.judgements().back(), "18/0 1 0=3");
  engine.Evaluate({{.key = "k1", .time_us = 400}});
  EXPECT_EQ(engine.judgements().back(), "19/0 1 truncated 0=1");
}

TEST(EvaluatorEvictionTest, AnEventsOwnOldKeyMayBeEvictedForItsOtherKey) {
  RuleSpec keyed = CountRule("keyed", 1, 1);
  keyed.key_suffix = {"merchant"};
  const auto rulesets = CompileForTest({Ruleset("x", 0, {CountRule("plain", 1, 1), keyed})});
  TestEngine engine(rulesets, Smallest(*rulesets));
  std::vector<TestEvent> events = NewKeys(16, 100);
  // k0 is known, with a new merchant, and so late that it stays the oldest.
  events.push_back({.key = "k0", .merchant = "m", .time_us = 1});
  engine.Evaluate(events);
  EXPECT_EQ(engine.judgements().back(), "16/0 2 truncated 0=1 1=1");
}

TEST(EvaluatorEvictionTest, OnlyRulesetsThatUseTruncatedStateSaySo) {
  RuleSpec filtered = CountRule("r", 1, 1);
  filtered.filters = {{"country", {"FR"}}};
  RuleSpec shadow = CountRule("shadow", 1, 1);
  shadow.mode = Mode::kShadow;
  const auto rulesets =
      CompileForTest({Ruleset("stateless", 0, {AboveRule("r", 10, 1)}),
                      Ruleset("other", 0, {AboveRule("big", 10, 1), filtered}),
                      Ruleset("shadowed", 0, {AboveRule("big", 10, 1), shadow}),
                      Ruleset("silent", 0, {AboveRule("big", 10, 1), CountRule("r", 1000, 1)})});
  TestEngine engine(rulesets, Smallest(*rulesets));
  engine.Evaluate(NewKeys(17, 100));
  ASSERT_EQ(engine.bucket(0).evictions(), 1U);
  engine.Evaluate({{.key = "k0", .country = "DE", .time_us = 500, .amount = 11}});
  // The last ruleset's count may be too low to fire: the sum may be too low.
  EXPECT_EQ(engine.judgements(),
            (Texts{"17/0 1 0=11", "17/1 1 0=11", "17/2 1 0=11", "17/3 1 truncated 0=11"}));
}

TEST(EvaluatorEvictionTest, ResultsAreTheSameForEveryBatchSplit) {
  RuleSpec keyed = CountRule("keyed", 3, 5);
  keyed.key_suffix = {"merchant"};
  RuleSpec filtered = CountRule("filtered", 2, 3);
  filtered.filters = {{"country", {"c1", "c2"}}};
  filtered.key_suffix = {"country"};
  const auto rulesets =
      CompileForTest({Ruleset("x", 0, {CountRule("plain", 2, 1), keyed, filtered})});
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::vector<TestEvent> events;
    for (int i = 0; i < 2000; ++i) {
      TestEvent event;
      event.key = "key" + std::to_string(std::min(random() % 90, random() % 90));
      event.merchant = "m" + std::to_string(random() % 3);
      event.country = "c" + std::to_string(random() % 4);
      event.time_us = i - static_cast<int64_t>(random() % 300);
      if (random() % 4 == 0) event.row = random() % 100;
      events.push_back(event);
    }
    TestEngine single(rulesets, Smallest(*rulesets), /*buckets=*/3);
    single.Evaluate(events, 1, random);
    uint64_t evictions = 0;
    for (size_t i = 0; i < 3; ++i) evictions += single.bucket(i).evictions();
    EXPECT_GT(evictions, 100U);
    EXPECT_GT(single.counts().duplicates, 10U);
    for (const size_t batch_size : {2, 64, 100, 2000, 0}) {
      TestEngine engine(rulesets, Smallest(*rulesets), /*buckets=*/3);
      engine.Evaluate(events, batch_size, random);
      ASSERT_EQ(engine.judgements(), single.judgements()) << "batches of " << batch_size;
      ASSERT_EQ(engine.Digests(), single.Digests()) << "batches of " << batch_size;
    }
  }
}

}  // namespace
}  // namespace caracal::agents
