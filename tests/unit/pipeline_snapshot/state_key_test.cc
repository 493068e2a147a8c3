#include "pipeline/snapshot/state_key.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace caracal::pipeline {
namespace {

const ChunkKey kKey = {
    {"bank.public.transactions", 3, 17}, {99172, {0x0123456789abcdef, 0xfedcba9876543210}}, 4};
const std::string kText =
    "bucket/1/bank.public.transactions/3/17/fedcba98765432100123456789abcdef/99172/4";

// Keys that have been written stay readable: when this changes, raise kSnapshotFormat.
TEST(StateKeyTest, TextIsThatOfTheFormat) {
  EXPECT_EQ(FormatChunkKey(kKey), kText);
  const StateKey parsed = ParseStateKey(kText);
  EXPECT_EQ(parsed.kind, StateKeyKind::kChunk);
  EXPECT_EQ(parsed.chunk, kKey);
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
      std::string("bucket/1/t\0/3/17/fedcba98765432100123456789abcdef/99172/4", 57),
  };
  for (const std::string& text : texts) {
    EXPECT_EQ(ParseStateKey(text).kind, StateKeyKind::kMalformed) << text;
  }
}

TEST(StateKeyTest, EveryChangedByteIsAnotherKey) {
  for (size_t at = 0; at < kText.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string text = kText;
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
      const StateKey parsed = ParseStateKey(text);
      if (parsed.kind != StateKeyKind::kChunk) continue;
      EXPECT_NE(parsed.chunk, kKey) << text;
      EXPECT_EQ(FormatChunkKey(parsed.chunk), text);
    }
  }
}

TEST(StateKeyTest, SnapshotsAreOrderedByOffsetFirst) {
  EXPECT_LT((SnapshotId{1, {9, 9}}), (SnapshotId{2, {0, 0}}));
  EXPECT_LT((SnapshotId{2, {0, 0}}), (SnapshotId{2, {0, 1}}));
}

TEST(StateKeyDeathTest, FormatsLegalPlacesOnly) {
  ChunkKey key = kKey;
  key.place.topic = "a/b";
  EXPECT_DEATH(FormatChunkKey(key), "CHECK failed");
  key = kKey;
  key.snapshot.offset = -1;
  EXPECT_DEATH(FormatChunkKey(key), "CHECK failed");
}

}  // namespace
}  // namespace caracal::pipeline
