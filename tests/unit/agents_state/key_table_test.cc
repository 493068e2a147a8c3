#include "agents/state/key_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "agents/state/eviction.h"

namespace caracal::agents {
namespace {

constexpr uint64_t kSeed = 7;
constexpr RecordLayout kLayout{8, 8};

TableKey KeyOf(std::string_view text) { return TableKey::Of(text, HashKey(text, kSeed)); }

uint64_t ReadValue(const KeyTable& table, KeyTable::Handle handle) {
  uint64_t value;
  std::memcpy(&value, table.record(handle), sizeof(value));
  return value;
}

void WriteValue(KeyTable& table, KeyTable::Handle handle, uint64_t value) {
  std::memcpy(table.record(handle), &value, sizeof(value));
}

StateDigest DigestOf(const KeyTable& table) {
  StateDigester digester;
  table.AddTo(digester);
  return digester.Digest();
}

/// The 16 bytes a key is ordered by: its text padded with zeros and its length, or 120 bits of its
/// hash and a mark.
std::string OrderBytes(const std::string& text) {
  std::string bytes(16, '\0');
  if (text.size() <= 15) {
    std::copy(text.begin(), text.end(), bytes.begin());
    bytes[15] = static_cast<char>(text.size());
    return bytes;
  }
  const KeyHash hash = HashKey(text, kSeed);
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(hash.low >> (8 * i));
  for (size_t i = 0; i < 7; ++i) bytes[8 + i] = static_cast<char>(hash.high >> (8 * i));
  bytes[15] = static_cast<char>(0x80);
  return bytes;
}

/// A table with eviction, the simple way.
class ModelTable {
 public:
  struct Record {
    int64_t newest_us = std::numeric_limits<int64_t>::min();
    uint64_t value = 0;
    bool truncated = false;
    std::string order = {};
  };

  Record& FindOrInsert(const std::string& text) {
    const auto [it, inserted] = records_.try_emplace(text);
    if (inserted) it->second = {.truncated = evictions_ > 0, .order = OrderBytes(text)};
    return it->second;
  }
  void EvictOldestSixteenth() {
    const size_t count = std::max<size_t>(1, records_.size() / 16);
    for (size_t i = 0; i < count; ++i) {
      const auto oldest =
          std::min_element(records_.begin(), records_.end(), [](const auto& a, const auto& b) {
            return std::tie(a.second.newest_us, a.second.order) <
                   std::tie(b.second.newest_us, b.second.order);
          });
      records_.erase(oldest);
    }
    evictions_ += count;
  }

  const std::map<std::string, Record>& records() const { return records_; }
  uint64_t evictions() const { return evictions_; }

 private:
  std::map<std::string, Record> records_;
  uint64_t evictions_ = 0;
};

void ExpectEqual(const KeyTable& table, const ModelTable& model,
                 const std::vector<std::string>& universe) {
  ASSERT_EQ(table.size(), model.records().size());
  ASSERT_EQ(table.evictions(), model.evictions());
  for (const std::string& text : universe) {
    const KeyTable::Handle handle = table.Find(KeyOf(text));
    const auto expected = model.records().find(text);
    ASSERT_EQ(handle != KeyTable::kNone, expected != model.records().end());
    if (handle == KeyTable::kNone) continue;
    EXPECT_EQ(table.newest_us(handle), expected->second.newest_us);
    EXPECT_EQ(ReadValue(table, handle), expected->second.value);
    EXPECT_EQ(table.truncated(handle), expected->second.truncated);
  }
}

/// Keys of all lengths around the inline bound, with common prefixes and zero bytes.
std::vector<std::string> RandomKeys(std::mt19937& random, size_t count) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) {
    std::string key(random() % 20, '\0');
    for (char& c : key) c = static_cast<char>("\0a\xFF"[random() % 3]);
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

TEST(KeyTableTest, BehavesLikeAMapWithEviction) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const std::vector<std::string> universe = RandomKeys(random, 600);
    KeyTable table(kLayout);
    ModelTable model;
    for (int step = 0; step < 3000; ++step) {
      const std::string& text = universe[random() % universe.size()];
      if (table.size() == 200 && table.Find(KeyOf(text)) == KeyTable::kNone) {
        EXPECT_EQ(EvictOldestSixteenth({&table, 1}), 12U);
        model.EvictOldestSixteenth();
      }
      const auto [handle, inserted] = table.FindOrInsert(KeyOf(text));
      ASSERT_EQ(inserted, !model.records().contains(text));
      ModelTable::Record& record = model.FindOrInsert(text);
      const auto time = static_cast<int64_t>(random() % 50) - 25;  // many equal and late times
      table.Touch(handle, time);
      record.newest_us = std::max(record.newest_us, time);
      WriteValue(table, handle, record.value = random());
      if (step % 500 == 0) ExpectEqual(table, model, universe);
    }
    ExpectEqual(table, model, universe);
  }
}

TEST(KeyTableTest, TellsKeysApartWhoseTagsAreEqual) {
  KeyTable table(kLayout);
  for (uint32_t i = 0; i < 500; ++i) {
    const TableKey key{i, 0, i % 3 + 1};
    WriteValue(table, table.FindOrInsert(key).first, i);
  }
  EXPECT_EQ(table.size(), 500U);
  for (uint32_t i = 0; i < 500; ++i) {
    const KeyTable::Handle handle = table.Find({i, 0, i % 3 + 1});
    ASSERT_NE(handle, KeyTable::kNone);
    EXPECT_EQ(ReadValue(table, handle), i);
  }
}

TEST(KeyTableTest, IdentityIsExactAroundTheInlineBound) {
  const std::string fifteen(15, 'x');
  const std::vector<std::string> texts = {
      "",      std::string(1, '\0'), "x",           "xx",
      fifteen, fifteen + "x",        fifteen + "y", fifteen.substr(0, 14) + std::string(1, '\0')};
  KeyTable table(kLayout);
  for (const std::string& text : texts) EXPECT_TRUE(table.FindOrInsert(KeyOf(text)).second);
  for (const std::string& text : texts) EXPECT_FALSE(table.FindOrInsert(KeyOf(text)).second);
}

TEST(KeyTableTest, LongKeysAreKnownByAllBitsOfTheirHash) {
  const std::string text(16, 'k');
  const KeyHash hash = {0x1111222233334444U, 0x5555666677778888U};
  KeyTable table(kLayout);
  table.FindOrInsert(TableKey::Of(text, hash));
  for (int bit = 0; bit < 64; ++bit) {
    const KeyHash low = {hash.low ^ (uint64_t{1} << bit), hash.high};
    const KeyHash high = {hash.low, hash.high ^ (uint64_t{1} << bit)};
    EXPECT_EQ(table.Find(TableKey::Of(text, low)), KeyTable::kNone) << bit;
    EXPECT_EQ(table.Find(TableKey::Of(text, high)), KeyTable::kNone) << bit;
  }
}

TEST(KeyTableTest, DigestDoesNotDependOnInsertionOrderOrGrowth) {
  constexpr uint32_t kShuffleSeed = 5;
  SCOPED_TRACE(kShuffleSeed);
  std::mt19937 random(kShuffleSeed);
  std::vector<std::string> keys = RandomKeys(random, 400);
  const auto fill = [&keys](KeyTable& table) {
    for (const std::string& text : keys) {
      const KeyTable::Handle handle = table.FindOrInsert(KeyOf(text)).first;
      table.Touch(handle, static_cast<int64_t>(text.size()));
      WriteValue(table, handle, text.size() * 3);
    }
  };
  KeyTable first(kLayout);
  fill(first);
  std::shuffle(keys.begin(), keys.end(), random);
  KeyTable second(kLayout);
  fill(second);
  EXPECT_EQ(DigestOf(first), DigestOf(second));
}

TEST(KeyTableTest, TagOrderIsByTagThenKeyBytes) {
  KeyTable table(kLayout);
  for (uint64_t i = 0; i < 500; ++i) {
    table.FindOrInsert({(500 - i) * 0x0101, 0, static_cast<uint32_t>(i * i % 7 * 0x20000000 + 1)});
  }
  const std::vector<KeyTable::Slot> slots = table.SlotsInTagOrder();
  ASSERT_EQ(slots.size(), 500U);
  for (size_t i = 1; i < slots.size(); ++i) {
    const auto before = std::pair(slots[i - 1].tag, table.key_order(slots[i - 1].handle));
    ASSERT_LT(before, std::pair(slots[i].tag, table.key_order(slots[i].handle))) << i;
  }
}

TEST(KeyTableTest, DigestSeesKeysTimesRecordsAndEvictions) {
  const auto digest = [](const std::string& key, int64_t time, uint64_t value, bool evict) {
    KeyTable table(kLayout);
    if (evict) {
      table.FindOrInsert(KeyOf("gone"));
      EvictOldestSixteenth({&table, 1});
    }
    const KeyTable::Handle handle = table.FindOrInsert(KeyOf(key)).first;
    table.Touch(handle, time);
    WriteValue(table, handle, value);
    return DigestOf(table);
  };
  const StateDigest base = digest("a", 1, 2, false);
  EXPECT_EQ(digest("a", 1, 2, false), base);
  EXPECT_NE(digest("b", 1, 2, false), base);
  EXPECT_NE(digest("a", 2, 2, false), base);
  EXPECT_NE(digest("a", 1, 3, false), base);
  EXPECT_NE(digest("a", 1, 2, true), base);
}

TEST(KeyTableTest, MarksRecordsMadeAfterAnEvictionAndOnlyThose) {
  KeyTable table(kLayout);
  table.Touch(table.FindOrInsert(KeyOf("old")).first, 1);
  table.Touch(table.FindOrInsert(KeyOf("kept")).first, 2);
  EXPECT_EQ(EvictOldestSixteenth({&table, 1}), 1U);
  EXPECT_EQ(table.Find(KeyOf("old")), KeyTable::kNone);
  EXPECT_FALSE(table.truncated(table.Find(KeyOf("kept"))));
  const auto [again, inserted] = table.FindOrInsert(KeyOf("old"));
  EXPECT_TRUE(inserted);
  EXPECT_TRUE(table.truncated(again));
  EXPECT_EQ(table.Find(KeyOf("old")), again);  // the mark is no part of the key
}

TEST(KeyTableTest, NewestTimeNeverGoesBack) {
  KeyTable table(kLayout);
  const KeyTable::Handle handle = table.FindOrInsert(KeyOf("k")).first;
  EXPECT_EQ(table.newest_us(handle), std::numeric_limits<int64_t>::min());
  table.Touch(handle, -5);
  table.Touch(handle, -9);
  EXPECT_EQ(table.newest_us(handle), -5);
}

TEST(KeyTableTest, RecordsAreZeroedAndAlignedForEveryLayout) {
  for (const RecordLayout layout :
       {RecordLayout{1, 1}, RecordLayout{12, 4}, RecordLayout{40, 8}, RecordLayout{48, 16},
        RecordLayout{KeyTable::kRecordBytesMax, 16}}) {
    SCOPED_TRACE(testing::Message() << layout.size << "/" << layout.align);
    KeyTable table(layout);
    const std::vector<std::byte> zeros(layout.size);
    for (int i = 0; i < 100; ++i) {
      const KeyTable::Handle handle = table.FindOrInsert(KeyOf(std::to_string(i))).first;
      std::byte* record = table.record(handle);
      ASSERT_EQ(reinterpret_cast<uintptr_t>(record) % layout.align, 0U);
      ASSERT_TRUE(std::equal(zeros.begin(), zeros.end(), record));
      std::memset(record, 0xEE, layout.size);
      table.Touch(handle, i);
    }
    EvictOldestSixteenth({&table, 1});
    const KeyTable::Handle reused = table.FindOrInsert(KeyOf("new")).first;
    EXPECT_TRUE(std::equal(zeros.begin(), zeros.end(), table.record(reused)));
  }
}

TEST(KeyTableTest, PrefetchingIsHarmlessWhateverTheTableHolds) {
  KeyTable table({200, 8});
  const TableKey key = KeyOf("k");
  table.PrefetchIndex(key);
  table.PrefetchRecord(key);
  EXPECT_EQ(table.bytes(), 0U);
  const KeyTable::Handle handle = table.FindOrInsert(key).first;
  table.PrefetchIndex(key);
  table.PrefetchRecord(key);
  EXPECT_EQ(table.Find(key), handle);
}

TEST(KeyTableTest, TakesAboutWhatAKeyIsChargedFor) {
  KeyTable table({64, 8});
  for (int i = 0; i < 200'000; ++i) table.FindOrInsert(KeyOf(std::to_string(i)));
  const double charged = static_cast<double>(KeyTable::BytesPerKey(table.layout())) * 200'000;
  EXPECT_LE(static_cast<double>(table.bytes()), charged + RecordSlab::ChunkBytes(88));
  EXPECT_GE(static_cast<double>(table.bytes()), charged * 0.9);
}

TEST(KeyTableTest, NotesTheKeysThatAreTouchedUntilOneIsEvicted) {
  KeyTable table(kLayout);
  const auto changes = [&table] {
    std::set<KeyTable::Handle> handles;
    for (const KeyTable::Slot& slot : table.ChangesInTagOrder()) handles.insert(slot.handle);
    return handles;
  };
  const KeyTable::Handle kept = table.FindOrInsert(KeyOf("kept")).first;
  const KeyTable::Handle old = table.FindOrInsert(KeyOf("old")).first;
  EXPECT_FALSE(table.notes_changes());
  EXPECT_EQ(table.changed_keys(), 0U);
  table.BeginChanges();
  table.FindOrInsert(KeyOf("old"));
  const KeyTable::Handle fresh = table.FindOrInsert(KeyOf("new")).first;
  table.FindOrInsert(KeyOf("new"));
  EXPECT_EQ(changes(), (std::set<KeyTable::Handle>{old, fresh}));
  EXPECT_EQ(table.Find(KeyOf("old")), old) << "the mark is no part of the key";
  table.BeginChanges();
  table.FindOrInsert(KeyOf("kept"));
  EXPECT_EQ(changes(), (std::set<KeyTable::Handle>{kept}));
  table.Evict({KeyOf("old").tag, old});
  EXPECT_FALSE(table.notes_changes());
  EXPECT_EQ(table.changed_keys(), 0U);
  table.BeginChanges();
  table.FindOrInsert(KeyOf("kept"));
  EXPECT_EQ(changes(), (std::set<KeyTable::Handle>{kept}));
  table.MarkTruncated();
  EXPECT_FALSE(table.notes_changes());
}

TEST(KeyTableTest, NotedChangesAreNoPartOfTheState) {
  KeyTable one(kLayout);
  KeyTable other(kLayout);
  for (KeyTable* table : {&one, &other}) table->FindOrInsert(KeyOf("k"));
  one.BeginChanges();
  one.FindOrInsert(KeyOf("k"));
  StateDigester first;
  one.AddTo(first);
  StateDigester second;
  other.AddTo(second);
  EXPECT_EQ(first.Digest(), second.Digest());
}

}  // namespace
}  // namespace caracal::agents
