#include "agents/state/eviction.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace caracal::agents {
namespace {

TableKey KeyOf(const std::string& text) { return TableKey::Of(text, HashKey(text, 1)); }

void Insert(KeyTable& table, const std::string& text, int64_t time) {
  table.Touch(table.FindOrInsert(KeyOf(text)).first, time);
}

bool Holds(const KeyTable& table, const std::string& text) {
  return table.Find(KeyOf(text)) != KeyTable::kNone;
}

std::vector<KeyTable> TwoTables() {
  std::vector<KeyTable> tables;
  tables.emplace_back(RecordLayout{8, 8});
  tables.emplace_back(RecordLayout{100, 4});
  return tables;
}

TEST(EvictionTest, TakesTheOldestOfAllTablesTogether) {
  std::vector<KeyTable> tables = TwoTables();
  for (int i = 0; i < 32; ++i) Insert(tables[0], "a" + std::to_string(i), 100 + i);
  for (int i = 0; i < 32; ++i) Insert(tables[1], "b" + std::to_string(i), i < 3 ? i : 200 + i);
  EXPECT_EQ(EvictOldestSixteenth(tables), 4U);
  EXPECT_EQ(tables[0].evictions(), 1U);
  EXPECT_EQ(tables[1].evictions(), 3U);
  EXPECT_FALSE(Holds(tables[0], "a0"));
  EXPECT_TRUE(Holds(tables[0], "a1"));
  for (const char* gone : {"b0", "b1", "b2"}) EXPECT_FALSE(Holds(tables[1], gone));
}

TEST(EvictionTest, TakesAtLeastOne) {
  std::vector<KeyTable> tables = TwoTables();
  Insert(tables[0], "young", 2);
  Insert(tables[1], "old", 1);
  EXPECT_EQ(EvictOldestSixteenth(tables), 1U);
  EXPECT_TRUE(Holds(tables[0], "young"));
  EXPECT_EQ(tables[1].size(), 0U);
}

TEST(EvictionTest, BreaksTiesByKeyBytesThenTable) {
  std::vector<KeyTable> tables = TwoTables();
  for (const char* key : {"b", "ab", "a"}) {
    Insert(tables[1], key, 5);
    Insert(tables[0], key, 5);
  }
  EvictOldestSixteenth(tables);
  EXPECT_FALSE(Holds(tables[0], "a"));
  EXPECT_TRUE(Holds(tables[1], "a"));
  EvictOldestSixteenth(tables);
  EXPECT_FALSE(Holds(tables[1], "a"));
  EvictOldestSixteenth(tables);
  EXPECT_FALSE(Holds(tables[0], "ab"));
  EXPECT_TRUE(Holds(tables[0], "b"));
}

}  // namespace
}  // namespace caracal::agents
