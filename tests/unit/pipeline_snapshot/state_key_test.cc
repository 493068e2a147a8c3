#include "pipeline/snapshot/state_key.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace caracal::pipeline {
namespace {

const ChunkKey kKey = {
    {"bank.public.transactions", 3, 17}, {99172, {0x0123456789abcdef, 0xfedcba9876543210}}, 4};
const std::string kText =
    "bucket/1/bank.public.transactions/3/17/fedcba98765432100123456789abcdef/99172/4";

const ChunkKey kChangesKey = {
    {"t", 3, 17}, {99172, {0x0123456789abcdef, 0xfedcba9876543210}, 801}, 4};
const std::string kChangesText = "changes/1/t/3/17/fedcba98765432100123456789abcdef/801/99172/4";

// Keys that have been written stay readable: when this changes, raise kSnapshotFormat.
TEST(StateKeyTest, TextIsThatOfTheFormat) {
  for (const auto& [key, text] : {std::pair(kKey, kText), std::pair(kChangesKey, kChangesText)}) {
    EXPECT_EQ(FormatChunkKey(key), text);
    const StateKey parsed = ParseStateKey(text);
    EXPECT_EQ(parsed.kind, StateKeyKind::kChunk);
    EXPECT_EQ(parsed.chunk, key);
  }
}

TEST(StateKeyTest, ParsesWhatItFormats) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random(seed);
    ChunkKey key;
    key.place.topic = std::string(random() % 249 + 1, "aZ0._-"[random() % 6]);
    key.place.partition = static_cast<int32_t>(random() >> 33 >> random() % 31);
    key.place.bucket = static_cast<uint32_t>(random() >> random() % 64);
    key.snapshot.layout = {random() >> random() % 64, random() >> random() % 64};
    key.snapshot.offset = static_cast<int64_t>(random() >> 1 >> random() % 63);
    if (key.snapshot.offset > 0 && random() % 2 == 0) {
      key.snapshot.base =
          static_cast<int64_t>(random() % static_cast<uint64_t>(key.snapshot.offset));
    }
    key.index = static_cast<uint32_t>(random() >> random() % 64);
    const StateKey parsed = ParseStateKey(FormatChunkKey(key));
    ASSERT_EQ(parsed.kind, StateKeyKind::kChunk) << "seed " << seed << FormatChunkKey(key);
    ASSERT_EQ(parsed.chunk, key) << "seed " << seed;
  }
}

TEST(StateKeyTest, OtherFormatsAndKindsAreRecognisedByTheirFirstParts) {
  EXPECT_EQ(ParseStateKey("bucket/0/x").kind, StateKeyKind::kOlderFormat);
  EXPECT_EQ(ParseStateKey("bucket/2/x").kind, StateKeyKind::kNewerFormat);
  EXPECT_EQ(ParseStateKey("bucket/4294967295/").kind, StateKeyKind::kNewerFormat);
  EXPECT_EQ(ParseStateKey("changes/2/x").kind, StateKeyKind::kNewerFormat);
  EXPECT_EQ(ParseStateKey("rules/1/9c1e4d20a7b3").kind, StateKeyKind::kRules);
  EXPECT_EQ(ParseStateKey("ruleset/1/9c1e4d20a7b3").kind, StateKeyKind::kRuleset);
  EXPECT_EQ(ParseStateKey("rules/2/9c1e4d20a7b3").kind, StateKeyKind::kOtherKind);
  EXPECT_EQ(ParseStateKey("buckets/1/x").kind, StateKeyKind::kOtherKind);
}

TEST(StateKeyTest, EveryOtherTextIsMalformed) {
  const std::vector<std::string> texts = {
      "",
      "bucket",
      "/1/x",
      "Bucket/1/x",
      "{\"account\":1042}",
      "bucket/",
      "bucket/x/y",
      "bucket/01/x",
      "bucket/-1/x",
      "bucket/4294967296/x",
      "bucket/1/",
      "bucket/1//3/17/fedcba98765432100123456789abcdef/99172/4",
      "bucket/1/a topic/3/17/fedcba98765432100123456789abcdef/99172/4",
      "bucket/1/" + std::string(250, 't') + "/3/17/fedcba98765432100123456789abcdef/99172/4",
      "bucket/1/t/-3/17/fedcba98765432100123456789abcdef/99172/4",
      "bucket/1/t/03/17/fedcba98765432100123456789abcdef/99172/4",
      "bucket/1/t/2147483648/17/fedcba98765432100123456789abcdef/99172/4",
      "bucket/1/t/3/4294967296/fedcba98765432100123456789abcdef/99172/4",
      "bucket/1/t/3/17/FEDCBA98765432100123456789abcdef/99172/4",
      "bucket/1/t/3/17/fedcba98765432100123456789abcde/99172/4",
      "bucket/1/t/3/17/-edcba98765432100123456789abcdef/99172/4",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/-1/4",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/9223372036854775808/4",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/99172/",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/99172",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/99172/4/",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/99172/+4",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/99172/4 ",
      "changes/1/t/3/17/fedcba98765432100123456789abcdef/99172/4",
      "changes/1/t/3/17/fedcba98765432100123456789abcdef/-1/99172/4",
      "changes/1/t/3/17/fedcba98765432100123456789abcdef/99172/99172/4",
      "changes/1/t/3/17/fedcba98765432100123456789abcdef/99173/99172/4",
      "bucket/1/t/3/17/fedcba98765432100123456789abcdef/801/99172/4",
      std::string("bucket/1/t\0/3/17/fedcba98765432100123456789abcdef/99172/4", 57),
  };
  for (const std::string& text : texts) {
    EXPECT_EQ(ParseStateKey(text).kind, StateKeyKind::kMalformed) << text;
  }
}

TEST(StateKeyTest, EveryChangedByteIsAnotherKey) {
  for (const std::string& whole : {kText, kChangesText}) {
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string text = whole;
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
      const StateKey parsed = ParseStateKey(text);
      if (parsed.kind != StateKeyKind::kChunk) continue;
      EXPECT_NE(parsed.chunk, ParseStateKey(whole).chunk) << text;
      EXPECT_EQ(FormatChunkKey(parsed.chunk), text);
    }
  }
}

TEST(StateKeyTest, SnapshotsAreOrderedByOffsetFirst) {
  EXPECT_LT((SnapshotId{1, {9, 9}}), (SnapshotId{2, {0, 0}}));
  EXPECT_LT((SnapshotId{2, {0, 0}}), (SnapshotId{2, {0, 1}}));
  EXPECT_LT((SnapshotId{2, {0, 0}, 0}), (SnapshotId{2, {0, 0}, 1}));
  EXPECT_LT((SnapshotId{2, {0, 0}, 1}), (SnapshotId{2, {0, 0}})) << "the whole one is the newest";
  EXPECT_LT((SnapshotId{2, {0, 0}}), (SnapshotId{3, {0, 0}, 1}));
}

TEST(StateKeyDeathTest, FormatsLegalPlacesOnly) {
  ChunkKey key = kKey;
  key.place.topic = "a/b";
  EXPECT_DEATH(FormatChunkKey(key), "CHECK failed");
  key = kKey;
  key.snapshot.offset = -1;
  EXPECT_DEATH(FormatChunkKey(key), "CHECK failed");
  key = kChangesKey;
  key.snapshot.base = key.snapshot.offset;
  EXPECT_DEATH(FormatChunkKey(key), "CHECK failed");
}

}  // namespace
}  // namespace caracal::pipeline
