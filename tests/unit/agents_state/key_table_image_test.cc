#include "agents/state/key_table_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/state/little_endian.h"

namespace caracal::agents {
namespace {

constexpr uint64_t kSeed = 7;
constexpr RecordLayout kLayout{8, 8};
constexpr size_t kEntryBytes = KeyTableImage::kSavedKeyBytes + 8;
const std::vector<RecordPiece> kWhole = {{0, 0, 8}};

TableKey KeyOf(std::string_view text) { return TableKey::Of(text, HashKey(text, kSeed)); }

void Put(KeyTable& table, std::string_view text, int64_t time_us, uint64_t value) {
  const KeyTable::Handle handle = table.FindOrInsert(KeyOf(text)).first;
  table.Touch(handle, time_us);
  std::memcpy(table.record(handle), &value, sizeof(value));
}

void Evict(KeyTable& table, std::string_view text) {
  const KeyTable::Handle handle = table.Find(KeyOf(text));
  table.Evict({KeyOf(text).tag, handle});
}

std::string ImageOf(const KeyTable& table) {
  std::string image;
  KeyTableImage::Append(table, table.SlotsInTagOrder(), kWhole, 8, image);
  return image;
}

StateDigest DigestOf(const KeyTable& table) {
  StateDigester digester;
  table.AddTo(digester);
  return digester.Digest();
}

absl::Status Restore(const std::string& image, uint64_t evictions, KeyTable& table) {
  return KeyTableImage(image, 8, evictions)
      .Restore({.hash_seed = kSeed, .pieces = kWhole, .evict_up_to = {}}, table);
}

/// Texts of 0 to 19 bytes, some held themselves, some by their hash.
std::vector<std::string> RandomTexts(std::mt19937& random, size_t count) {
  std::set<std::string> texts;
  while (texts.size() < count) {
    std::string text(random() % 20, '\0');
    for (char& c : text) c = static_cast<char>("\0az\xFF"[random() % 4]);
    texts.insert(text);
  }
  return {texts.begin(), texts.end()};
}

TEST(KeyTableImageTest, HasOneImageWhateverTheHistoryInMemory) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::vector<std::string> texts = RandomTexts(random, 300);
    KeyTable first(kLayout);
    for (size_t i = 0; i < texts.size(); ++i) Put(first, texts[i], -5, texts[i].size() * 3);
    KeyTable second(kLayout);
    std::shuffle(texts.begin(), texts.end(), random);
    for (const std::string& text : texts) Put(second, text, -5, text.size() * 3);
    EXPECT_EQ(ImageOf(first), ImageOf(second));
    EXPECT_EQ(ImageOf(first).size(), 300 * kEntryBytes);
  }
}

TEST(KeyTableImageTest, RestoresKeysTimesMarksRecordsAndEvictions) {
  KeyTable table(kLayout);
  Put(table, "gone", 1, 1);
  Put(table, "kept", -9, 2);
  Evict(table, "gone");
  Put(table, "a key that is longer than fifteen bytes", 12, 3);
  table.FindOrInsert(KeyOf("never touched"));
  const std::string image = ImageOf(table);

  KeyTable restored(kLayout);
  ASSERT_TRUE(Restore(image, table.evictions(), restored).ok());
  EXPECT_EQ(DigestOf(restored), DigestOf(table));
  EXPECT_EQ(ImageOf(restored), image);
  EXPECT_EQ(restored.evictions(), 1U);
  EXPECT_FALSE(restored.truncated(restored.Find(KeyOf("kept"))));
  EXPECT_TRUE(restored.truncated(restored.Find(KeyOf("never touched"))));
  EXPECT_EQ(restored.newest_us(restored.Find(KeyOf("kept"))), -9);
  // As in the saved table: a key made from now on is marked.
  EXPECT_TRUE(restored.truncated(restored.FindOrInsert(KeyOf("new")).first));
}

TEST(KeyTableImageTest, RestoredTablesGrowAndEvictLikeTheSavedOnes) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const std::vector<std::string> texts = RandomTexts(random, 400);
    const auto step = [&texts](KeyTable& table, uint32_t number) {
      if (table.size() == 200) EvictOldestSixteenth({&table, 1});
      Put(table, texts[number % texts.size()], number % 100, number);
    };
    KeyTable table(kLayout);
    for (int i = 0; i < 1000; ++i) step(table, static_cast<uint32_t>(random()));
    KeyTable restored(kLayout);
    ASSERT_TRUE(Restore(ImageOf(table), table.evictions(), restored).ok());
    for (int i = 0; i < 1000; ++i) {
      const auto number = static_cast<uint32_t>(random());
      step(table, number);
      step(restored, number);
    }
    EXPECT_EQ(DigestOf(restored), DigestOf(table));
    EXPECT_GT(restored.evictions(), table.size());
  }
}

TEST(KeyTableImageTest, MovesPiecesAndLeavesTheRestZero) {
  KeyTable table({12, 4});
  std::byte* record = table.record(table.FindOrInsert(KeyOf("k")).first);
  std::memcpy(record, "aaaabbbbcccc", 12);
  std::string image;
  // Saved: c, a. Restored: a to 8, c to 0, nothing to 4.
  KeyTableImage::Append(table, table.SlotsInTagOrder(),
                        std::vector<RecordPiece>{{0, 8, 4}, {4, 0, 4}}, 8, image);
  EXPECT_EQ(image.substr(KeyTableImage::kSavedKeyBytes), "ccccaaaa");
  KeyTable restored({16, 4});
  const std::vector<RecordPiece> pieces = {{4, 8, 4}, {0, 0, 4}};
  ASSERT_TRUE(KeyTableImage(image, 8, 0)
                  .Restore({.hash_seed = kSeed, .pieces = pieces, .evict_up_to = {}}, restored)
                  .ok());
  const std::byte* moved = restored.record(restored.Find(KeyOf("k")));
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(moved), 16),
            std::string_view("cccc\0\0\0\0aaaa\0\0\0\0", 16));
}

TEST(KeyTableImageTest, EvictsUpToARankInsteadOfRestoring) {
  KeyTable table(kLayout);
  for (int i = 0; i < 10; ++i) Put(table, std::to_string(i), 100 + i / 2, 1);
  const std::string image = ImageOf(table);
  const KeyTableImage saved(image, 8, 0);
  // Times 100 and 101 and, of the two keys at 102, the one with the smaller bytes.
  const EvictionRank last{102, KeyOf("4").order(), 3};
  KeyTable restored(kLayout);
  ASSERT_TRUE(
      saved
          .Restore(
              {.hash_seed = kSeed, .pieces = kWhole, .evict_up_to = last, .table = 3, .evicted = 5},
              restored)
          .ok());
  EXPECT_EQ(restored.size(), 5U);
  EXPECT_EQ(restored.evictions(), 5U);
  EXPECT_EQ(restored.Find(KeyOf("4")), KeyTable::kNone);
  EXPECT_NE(restored.Find(KeyOf("5")), KeyTable::kNone);
}

TEST(KeyTableImageTest, RanksAreThoseOfTheTable) {
  KeyTable table(kLayout);
  for (const std::string_view text : {"a", "b", "a key longer than fifteen"})
    Put(table, text, 4, 1);
  std::set<std::pair<uint64_t, uint64_t>> expected;
  table.ForEach([&](const KeyTable::Slot& slot) { expected.insert(table.key_order(slot.handle)); });
  std::set<std::pair<uint64_t, uint64_t>> found;
  const std::string image = ImageOf(table);
  KeyTableImage(image, 8, 0).ForEachRank([&found](int64_t newest_us, const auto& order) {
    EXPECT_EQ(newest_us, 4);
    found.insert(order);
  });
  EXPECT_EQ(found, expected);
}

/// An image of three keys, one of them long, and what Restore says of it after a change.
std::string RefusalAfter(const std::function<void(std::string&)>& change, uint64_t evictions = 0) {
  KeyTable table(kLayout);
  for (const std::string_view text : {"a", "bb", "a key longer than fifteen"})
    Put(table, text, 4, 1);
  std::string image = ImageOf(table);
  change(image);
  KeyTable restored(kLayout);
  const absl::Status status = Restore(image, evictions, restored);
  EXPECT_TRUE(status.ok() || absl::IsDataLoss(status));
  return status.ok() ? "" : MessageOf(status);
}

TEST(KeyTableImageTest, RefusesKeysNoTableHas) {
  EXPECT_EQ(RefusalAfter([](std::string&) {}), "");
  size_t short_key = 0;  // the offset of "a": its length is 1
  RefusalAfter([&short_key](std::string& image) {
    while (image[short_key + 15] != 1) short_key += kEntryBytes;
  });
  const auto flip = [&](size_t byte, int bit) {
    return RefusalAfter([=](std::string& image) {
      image[short_key + byte] = static_cast<char>(image[short_key + byte] ^ (1 << bit));
    });
  };
  for (int bit = 0; bit < 8; ++bit) {
    EXPECT_NE(flip(0, bit), "") << "another text under the same tag";
    EXPECT_NE(flip(1, bit), "") << "a byte behind the text";
    EXPECT_NE(flip(14, bit), "") << "a byte behind the text";
    EXPECT_NE(flip(15, bit), "") << "another length";
    EXPECT_NE(flip(24, bit), "") << "another tag";
    EXPECT_EQ(flip(16, bit), "") << "another time is as good";
    EXPECT_EQ(flip(28, bit), "") << "records are the agents'";
  }
}

TEST(KeyTableImageTest, RefusesHashedKeysWhoseTagIsOfAnotherHash) {
  size_t long_key = 0;
  RefusalAfter([&long_key](std::string& image) {
    while (image[long_key + 15] != '\x80') long_key += kEntryBytes;
  });
  for (size_t byte = 24; byte < 27; ++byte) {  // the fourth byte of a tag is nowhere else
    EXPECT_NE(RefusalAfter([=](std::string& image) { image[long_key + byte] ^= 1; }), "");
  }
}

TEST(KeyTableImageTest, RefusesMarksWithoutEvictions) {
  const auto mark = [](std::string& image) { image[15] = static_cast<char>(image[15] | 0x40); };
  EXPECT_EQ(RefusalAfter(mark), "entry 0 of a key table's image is truncated without an eviction");
  EXPECT_EQ(RefusalAfter(mark, /*evictions=*/1), "");
}

TEST(KeyTableImageTest, RefusesEntriesOutOfOrderAndDoubled) {
  const std::string out_of_order = "entry 1 of a key table's image is out of order";
  EXPECT_EQ(RefusalAfter([](std::string& image) {
              std::swap_ranges(image.begin(), image.begin() + kEntryBytes,
                               image.begin() + kEntryBytes);
            }),
            out_of_order);
  EXPECT_EQ(RefusalAfter([](std::string& image) {
              image.replace(kEntryBytes, kEntryBytes, image.substr(0, kEntryBytes));
            }),
            out_of_order);
}

TEST(KeyTableImageTest, OrdersKeysWithEqualTagsByTheirBytes) {
  // Hashed keys may share tags; 24 bits of `second` are those of the tag.
  const uint64_t second = TableKey::kHashed << 56 | uint64_t{0x223344} << 32;
  std::vector<TableKey> keys;
  for (uint64_t first = 0; first < 50; ++first) keys.push_back({first * 97, second, 0x11223344});
  KeyTable ascending(kLayout);
  for (const TableKey& key : keys) ascending.FindOrInsert(key);
  std::reverse(keys.begin(), keys.end());
  KeyTable descending(kLayout);
  for (const TableKey& key : keys) descending.FindOrInsert(key);
  EXPECT_EQ(ImageOf(ascending), ImageOf(descending));
  KeyTable restored(kLayout);
  ASSERT_TRUE(Restore(ImageOf(ascending), 0, restored).ok());
  EXPECT_EQ(DigestOf(restored), DigestOf(descending));
}

TEST(RecordPieceTest, NeighboursInImageAndTableAreOnePiece) {
  std::vector<RecordPiece> pieces;
  AppendPiece({0, 0, 8}, pieces);
  AppendPiece({8, 8, 4}, pieces);
  EXPECT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].size, 12U);
  AppendPiece({12, 16, 4}, pieces);  // a gap in the table
  AppendPiece({20, 20, 4}, pieces);  // a gap in the image
  EXPECT_EQ(pieces.size(), 3U);
}

TEST(KeyTableImageDeathTest, TakesWholeEntriesAndEmptyTablesOnly) {
  EXPECT_DEATH(KeyTableImage(std::string_view("12345"), 8, 0), "CHECK failed");
  KeyTable table(kLayout);
  Put(table, "k", 1, 1);
  const std::string image = ImageOf(table);
  EXPECT_DEATH((void)Restore(image, 0, table), "CHECK failed");
}

}  // namespace
}  // namespace caracal::agents
