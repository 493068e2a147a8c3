// Random streams with whole images and images of changes at random places: a whole image with the
// changes since is, byte for byte, the whole image of then, and whoever is restored from it goes on
// like the original.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/ruleset/bucket_state.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

using Rulesets = std::shared_ptr<const CompiledRulesets>;

constexpr uint32_t kBuckets = 3;

Rulesets RandomRules(std::mt19937& random) {
  std::vector<RuleSpec> rules;
  for (size_t i = 0; i < random() % 3 + 1; ++i) {
    RuleSpec rule = CountRule("r" + std::to_string(i), static_cast<int64_t>(random() % 4 + 1), 1);
    rule.parameters.Set("state_bytes", static_cast<int64_t>(8 + random() % 40));
    if (random() % 3 == 0) rule.key_suffix = {"merchant"};
    if (random() % 4 == 0) rule.filters = {{"country", {"c1", "c2"}}};
    rules.push_back(rule);
  }
  return CompileForTest({Ruleset("x", 0, rules)});
}

std::vector<TestEvent> RandomEvents(std::mt19937& random, size_t count, int64_t now_us) {
  std::vector<TestEvent> events(count);
  for (TestEvent& event : events) {
    event.key = "key" + std::to_string(std::min(random() % 200, random() % 200));
    if (random() % 5 == 0) event.key += " is longer than fifteen bytes";
    event.merchant = "m" + std::to_string(random() % 3);
    event.country = "c" + std::to_string(random() % 4);
    event.time_us = now_us++ - static_cast<int64_t>(random() % 300);
    if (random() % 3 == 0) event.row = random() % 100;
  }
  return events;
}

std::string ImageOf(const BucketState& bucket) {
  std::string image;
  bucket.AppendTo(kBuckets, image);
  return image;
}

std::string ChangesOf(const BucketState& bucket) {
  std::string image;
  bucket.AppendChangesTo(kBuckets, image);
  EXPECT_EQ(image.size(), bucket.ChangesBytes());
  return image;
}

/// Engines that see the same stream in batches of their own; the second one's buckets are saved and
/// restored now and then.
class Pair {
 public:
  explicit Pair(uint32_t seed)
      : random_(seed),
        rulesets_(RandomRules(random_)),
        rows_(random_() % 10 == 0 ? 0 : 32),
        limits_{BucketState::MinBytes(*rulesets_, rows_) * (random_() % 16 + 1), rows_},
        original_(rulesets_, limits_, kBuckets),
        other_(rulesets_, limits_, kBuckets),
        bases_(kBuckets) {}

  void Step() {
    const std::vector<TestEvent> events = RandomEvents(random_, random_() % 120, now_us_);
    now_us_ += static_cast<int64_t>(events.size());
    original_.Evaluate(events, 0, random_);
    other_.Evaluate(events, 0, random_);
    for (size_t i = 0; i < kBuckets; ++i) Save(i);
    ASSERT_EQ(original_.Digests(), other_.Digests());
    ASSERT_EQ(original_.judgements(), other_.judgements());
  }

  int changes() const { return changes_; }
  int refused() const { return refused_; }
  int restored() const { return restored_; }
  uint64_t evictions() { return original_.bucket(0).evictions(); }

 private:
  void Save(size_t i) {
    BucketState& bucket = original_.bucket(i);
    const std::string whole = ImageOf(bucket);
    if (random_() % 20 == 0) {
      bucket.MarkTruncated();
      other_.bucket(i).MarkTruncated();
      return;
    }
    if (random_() % 4 == 0) {
      bucket.BeginChanges();
      bases_[i] = whole;
    }
    if (bases_[i].empty()) {
      EXPECT_FALSE(bucket.ChangesBytes().has_value());
      return;
    }
    if (!bucket.ChangesBytes().has_value()) {
      ++refused_;
      return;
    }
    ++changes_;
    const std::string changes = ChangesOf(bucket);
    EXPECT_LE(changes.size(), whole.size() + sizeof(uint32_t));
    const auto merged = BucketImage::WithChanges(bases_[i], changes);
    ASSERT_TRUE(merged.ok()) << MessageOf(merged.status());
    ASSERT_EQ(*merged, whole);
    if (random_() % 4 == 0) Restore(i, *merged, changes);
  }

  void Restore(size_t i, const std::string& image, const std::string& changes) {
    auto restored = BucketState::Parse(rulesets_, limits_, kBuckets, image);
    ASSERT_TRUE(restored.ok() && restored->report.exact);
    ASSERT_FALSE(restored->state.ChangesBytes().has_value());
    const auto alone = BucketState::Parse(rulesets_, limits_, kBuckets, changes);
    ASSERT_TRUE(absl::IsFailedPrecondition(alone.status())) << "as an earlier reader would";
    other_.bucket(i) = std::move(restored->state);
    ++restored_;
  }

  std::mt19937 random_;
  const Rulesets rulesets_;
  const uint32_t rows_;
  const BucketLimits limits_;
  TestEngine original_;
  TestEngine other_;
  std::vector<std::string> bases_;  ///< by bucket; empty: none yet
  int64_t now_us_ = 0;
  int changes_ = 0;
  int refused_ = 0;
  int restored_ = 0;
};

TEST(BucketChangesPropertyTest, AWholeImageAndItsChangesAreTheWholeImageOfThen) {
  int changes = 0;
  int refused = 0;
  int restored = 0;
  int evicting = 0;
  for (uint32_t seed = 1; seed <= 80; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Pair pair(seed);
    for (int step = 0; step < 25; ++step) {
      ASSERT_NO_FATAL_FAILURE(pair.Step()) << "step " << step;
    }
    changes += pair.changes();
    refused += pair.refused();
    restored += pair.restored();
    evicting += pair.evictions() > 0 ? 1 : 0;
  }
  EXPECT_GT(changes, 1000);
  EXPECT_GT(refused, 300);
  EXPECT_GT(restored, 200);
  EXPECT_GT(evicting, 20);
}

// Equal buckets that began with equal images have equal changes, whatever happened to them.
TEST(BucketChangesPropertyTest, ChangesDoNotDependOnHistoryInMemory) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const Rulesets rulesets = RandomRules(random);
    const BucketLimits limits{size_t{1} << 20, 32};
    TestEngine one(rulesets, limits, kBuckets);
    one.Evaluate(RandomEvents(random, random() % 400, 0), 0, random);
    TestEngine other(rulesets, limits, kBuckets);
    for (size_t i = 0; i < kBuckets; ++i) {
      auto restored = BucketState::Parse(rulesets, limits, kBuckets, ImageOf(one.bucket(i)));
      ASSERT_TRUE(restored.ok());
      other.bucket(i) = std::move(restored->state);
      one.bucket(i).BeginChanges();
      other.bucket(i).BeginChanges();
    }
    const std::vector<TestEvent> events = RandomEvents(random, random() % 400, 400);
    one.Evaluate(events, 0, random);
    other.Evaluate(events, 0, random);
    for (size_t i = 0; i < kBuckets; ++i) {
      ASSERT_EQ(ChangesOf(one.bucket(i)), ChangesOf(other.bucket(i)));
    }
  }
}

TEST(BucketChangesPropertyTest, DamagedPairsAreRefusedOrThoseOfAnotherBucket) {
  int refused = 0;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const Rulesets rulesets = RandomRules(random);
    const BucketLimits limits{size_t{1} << 20, 32};
    TestEngine engine(rulesets, limits, kBuckets);
    engine.Evaluate(RandomEvents(random, 200, 0), 0, random);
    BucketState& bucket = engine.bucket(0);
    std::string images[2] = {ImageOf(bucket), {}};
    bucket.BeginChanges();
    engine.Evaluate(RandomEvents(random, 100, 200), 0, random);
    images[1] = ChangesOf(bucket);
    for (int i = 0; i < 300; ++i) {
      std::string damaged[2] = {images[0], images[1]};
      std::string& bytes = damaged[random() % 2];
      const size_t at = random() % bytes.size();
      if (random() % 2 == 0) {
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      } else {
        bytes.resize(at);
      }
      const auto merged = BucketImage::WithChanges(damaged[0], damaged[1]);
      if (!merged.ok()) {
        ++refused;
        continue;
      }
      const auto restored = BucketState::Parse(rulesets, limits, kBuckets, *merged);
      if (!restored.ok()) {
        ++refused;
      } else if (restored->report.exact) {
        ASSERT_EQ(ImageOf(restored->state), *merged);
      }
    }
  }
  EXPECT_GT(refused, 3000);
}

// Changes to an earlier or a later whole image are of no use with this one's layout alone: who
// keeps them has to know which belong together. Evictions in between are noticed.
TEST(BucketChangesTest, ChangesAreRefusedWithTheImageOfAnotherBucket) {
  const Rulesets rulesets = CompileForTest({Ruleset("x", 0, {CountRule("a", 1, 1)})});
  const Rulesets others = CompileForTest({Ruleset("x", 0, {CountRule("b", 1, 1)})});
  BucketState bucket(rulesets, {});
  BucketState other_rules(others, {});
  bucket.BeginChanges();
  bucket.rows().InsertIfNew(1);
  const std::string changes = ChangesOf(bucket);
  BucketState truncated(rulesets, {});
  truncated.MarkTruncated();
  for (const BucketState* wrong : {&other_rules, &truncated}) {
    EXPECT_TRUE(absl::IsDataLoss(BucketImage::WithChanges(ImageOf(*wrong), changes).status()));
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(BucketImage::WithChanges(changes, changes).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      BucketImage::WithChanges(ImageOf(bucket), ImageOf(bucket)).status()));
}

}  // namespace
}  // namespace caracal::agents
