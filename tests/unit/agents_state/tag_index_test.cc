#include "agents/state/tag_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace caracal::agents {
namespace {

using Entry = std::pair<uint32_t, uint32_t>;

bool Contains(const TagIndex& index, const Entry& entry) {
  const auto is_value = [&entry](uint32_t value) { return value == entry.second; };
  return index.Find(entry.first, is_value) == entry.second;
}

std::set<Entry> EntriesOf(const TagIndex& index) {
  std::set<Entry> entries;
  index.ForEach([&entries](uint32_t tag, uint32_t value) { entries.emplace(tag, value); });
  return entries;
}

// Random insertions and erasures against a set. `tags` distinct tags: few of them make long chains
// of full lines.
void CompareWithSet(uint32_t seed, uint32_t tags) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << ", tags " << tags);
  std::mt19937 random(seed);
  TagIndex index;
  std::set<Entry> model;
  for (uint32_t value = 0; value < 3000; ++value) {
    const Entry entry{TagOf(uint64_t{random() % tags * 0x9E3779B9U} << 32), value};
    index.Insert(entry.first, entry.second);
    model.insert(entry);
    while (!model.empty() && random() % 100 < (value < 1500 ? 30U : 55U)) {
      auto victim = model.lower_bound({static_cast<uint32_t>(random()), 0});
      if (victim == model.end()) victim = model.begin();
      index.Erase(victim->first, victim->second);
      ASSERT_FALSE(Contains(index, *victim));
      model.erase(victim);
    }
    ASSERT_EQ(index.size(), model.size());
  }
  EXPECT_EQ(EntriesOf(index), model);
  for (const Entry& entry : model) ASSERT_TRUE(Contains(index, entry));
}

TEST(TagIndexTest, FindsExactlyWhatWasInsertedAndNotErased) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    CompareWithSet(seed, 1'000'000);
    CompareWithSet(seed, 20);
    CompareWithSet(seed, 1);
  }
}

TEST(TagIndexTest, ReservedIndexIsAsLargeAsOneThatHasGrown) {
  for (const uint32_t entries : {0, 1, 6, 7, 100, 5000}) {
    TagIndex grown;
    TagIndex reserved;
    reserved.Reserve(entries);
    const size_t bytes = reserved.bytes();
    for (uint32_t i = 0; i < entries; ++i) {
      grown.Insert(i * 0x9E3779B9U | 1, i);
      reserved.Insert(i * 0x9E3779B9U | 1, i);
    }
    EXPECT_EQ(reserved.bytes(), bytes) << entries;
    EXPECT_EQ(reserved.bytes(), grown.bytes()) << entries;
    EXPECT_EQ(EntriesOf(reserved), EntriesOf(grown)) << entries;
  }
}

TEST(TagIndexTest, AllocatesNothingBeforeTheFirstEntry) {
  TagIndex index;
  EXPECT_EQ(index.bytes(), 0U);
  EXPECT_EQ(index.Find(7, [](uint32_t) { return true; }), TagIndex::kNone);
  EXPECT_EQ(index.Guess(7), TagIndex::kNone);
  index.Prefetch(7);
  index.Insert(7, 1);
  EXPECT_EQ(index.bytes(), 64U);
  EXPECT_EQ(index.Guess(7), 1U);
}

TEST(TagIndexTest, AsksTheCallerOnlyAboutEqualTags) {
  TagIndex index;
  index.Insert(7, 1);
  index.Insert(7, 2);
  index.Insert(8, 3);
  std::vector<uint32_t> asked;
  const auto refuse = [&asked](uint32_t value) {
    asked.push_back(value);
    return false;
  };
  EXPECT_EQ(index.Find(7, refuse), TagIndex::kNone);
  std::sort(asked.begin(), asked.end());
  EXPECT_EQ(asked, (std::vector<uint32_t>{1, 2}));
}

TEST(TagIndexTest, SearchEndsWhenEveryLineSaysThatEntriesOverflowed) {
  // Two lines, each filled from its own tag in turn, so that both have pushed entries on.
  TagIndex index;
  const uint32_t low = 1;
  const uint32_t high = 0xFFFFFFFFU;
  for (uint32_t i = 0; i < 8; ++i) index.Insert(low, i);
  for (uint32_t i = 0; i < 7; ++i) index.Erase(low, i);
  for (uint32_t i = 20; i < 28; ++i) index.Insert(high, i);
  EXPECT_EQ(index.Find(low, [](uint32_t) { return false; }), TagIndex::kNone);
  EXPECT_EQ(index.Find(high, [](uint32_t value) { return value == 27; }), 27U);
}

TEST(TagIndexTest, TakesAtMostSixteenBytesPerEntryOnceThereAreMany) {
  TagIndex index;
  for (uint32_t i = 1; i <= 100'000; ++i) {
    index.Insert(i * 40'000, i);
    if (i > 1000) {
      ASSERT_LE(index.bytes(), 16.2 * i);
    }
  }
}

TEST(TagIndexTest, TagIsNeverZero) {
  EXPECT_NE(TagOf(0), 0U);
  EXPECT_EQ(TagOf(0xABCD000012345678U), 0xABCD0000U);
}

}  // namespace
}  // namespace caracal::agents
