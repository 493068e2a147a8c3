#include "agents/ruleset/bucket_state.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

std::shared_ptr<const CompiledRulesets> TwoKeys() {
  RuleSpec keyed = CountRule("keyed", 1, 1);
  keyed.key_suffix = {"merchant"};
  return CompileForTest({Ruleset("x", 0, {CountRule("plain", 1, 1), keyed})});
}

TableKey KeyOf(const std::string& text) { return TableKey::Of(text, HashKey(text, kTestSeed)); }

TEST(BucketStateTest, AllocatesNothingBeforeTheFirstKeyAndRow) {
  BucketState bucket(TwoKeys(), {});
  EXPECT_EQ(bucket.bytes(), 0U);
  EXPECT_EQ(bucket.keys(), 0U);
  bucket.FindOrInsert(0, KeyOf("k"));
  bucket.rows().InsertIfNew(1);
  EXPECT_GT(bucket.bytes(), 0U);
  EXPECT_LT(bucket.bytes(), 1024U);
}

TEST(BucketStateTest, IsFullWhenTheBudgetIsSpentWhateverWasAllocated) {
  const auto rulesets = TwoKeys();
  constexpr uint32_t kRows = 100;
  const size_t per_key = KeyTable::BytesPerKey(rulesets->layout().groups[0].record);
  BucketState bucket(rulesets, {RowFilter::MaxBytes(kRows) + 40 * per_key, kRows});
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(bucket.HasRoomFor(per_key)) << i;
    bucket.FindOrInsert(static_cast<size_t>(i) % 2, KeyOf(std::to_string(i)));
  }
  EXPECT_FALSE(bucket.HasRoomFor(1));
  EXPECT_TRUE(bucket.HasRoomFor(0));
  bucket.EvictOldest();
  EXPECT_EQ(bucket.keys(), 38U);
  EXPECT_EQ(bucket.evictions(), 2U);
  EXPECT_TRUE(bucket.HasRoomFor(2 * per_key));
  EXPECT_FALSE(bucket.HasRoomFor(2 * per_key + 1));
}

TEST(BucketStateTest, DigestCoversRowsTablesAndLayout) {
  BucketState one(TwoKeys(), {});
  BucketState two(TwoKeys(), {});
  EXPECT_EQ(one.Digest(), two.Digest());
  one.FindOrInsert(0, KeyOf("k"));
  EXPECT_NE(one.Digest(), two.Digest());
  two.FindOrInsert(1, KeyOf("k"));
  EXPECT_NE(one.Digest(), two.Digest());
  two.FindOrInsert(0, KeyOf("k"));
  one.FindOrInsert(1, KeyOf("k"));
  EXPECT_EQ(one.Digest(), two.Digest());
  one.rows().InsertIfNew(5);
  EXPECT_NE(one.Digest(), two.Digest());
  BucketState other(CompileForTest({Ruleset("x", 0, {CountRule("plain", 1, 1)})}), {});
  EXPECT_NE(other.Digest(), BucketState(TwoKeys(), {}).Digest());
}

TEST(BucketStateDeathTest, RefusesABudgetItCannotWorkWith) {
  const auto rulesets = TwoKeys();
  const size_t least = BucketState::MinBytes(*rulesets, 100);
  EXPECT_EQ(BucketState(rulesets, {least, 100}).keys(), 0U);
  EXPECT_DEATH(BucketState(rulesets, {least - 1, 100}), "CHECK failed");
}

TEST(BucketStateTest, ABucketThatHasLostRecordsSaysSoOfEveryKey) {
  const auto rulesets = CompileForTest({Ruleset("x", 0, {CountRule("a", 1, 1)})});
  TestEngine engine(rulesets, {});
  engine.Evaluate({{.key = "before"}});
  engine.bucket(0).MarkTruncated();
  engine.Evaluate({{.key = "before"}, {.key = "after"}});
  ASSERT_EQ(engine.judgements().size(), 3U);
  EXPECT_EQ(engine.judgements()[0].find("truncated"), std::string::npos);
  EXPECT_NE(engine.judgements()[1].find("truncated"), std::string::npos);
  EXPECT_NE(engine.judgements()[2].find("truncated"), std::string::npos);

  std::string image;
  engine.bucket(0).AppendTo(1, image);
  auto restored = BucketState::Parse(rulesets, {}, 1, image);
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->state.Digest(), engine.bucket(0).Digest()) << "it is saved with it";
}

}  // namespace
}  // namespace caracal::agents
