#include "agents/state/row_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace caracal::agents {
namespace {

std::vector<uint64_t> TagsOf(const RowFilter& filter) {
  std::vector<uint64_t> tags;
  filter.ForEachInLogOrder([&tags](uint64_t tag) { tags.push_back(tag); });
  return tags;
}

StateDigest DigestOf(const RowFilter& filter) {
  StateDigester digester;
  filter.AddTo(digester);
  return digester.Digest();
}

// Against a queue of the newest distinct rows. `universe` tags: about as many as rows are
// remembered, so that duplicates and returning rows are frequent.
void CompareWithQueue(uint32_t seed, uint32_t max_rows, uint64_t universe) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << ", rows " << max_rows);
  std::mt19937_64 random(seed);
  RowFilter filter(max_rows);
  std::deque<uint64_t> model;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t tag = random() % universe;
    const bool is_new = std::find(model.begin(), model.end(), tag) == model.end();
    if (is_new) {
      model.push_back(tag);
      if (model.size() > max_rows) model.pop_front();
    }
    filter.Prefetch(tag);
    ASSERT_EQ(filter.InsertIfNew(tag), is_new) << "step " << i;
  }
  EXPECT_EQ(TagsOf(filter), std::vector<uint64_t>(model.begin(), model.end()));
  EXPECT_LE(filter.bytes(), RowFilter::MaxBytes(max_rows));
}

TEST(RowFilterTest, RemembersTheNewestDistinctRowsInLogOrder) {
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    CompareWithQueue(seed, 1, 3);
    CompareWithQueue(seed, 7, 12);
    CompareWithQueue(seed, 100, 150);
    CompareWithQueue(seed, 300, 100'000);
  }
}

TEST(RowFilterTest, DuplicateDoesNotRefreshItsRow) {
  RowFilter filter(2);
  EXPECT_TRUE(filter.InsertIfNew(1));
  EXPECT_TRUE(filter.InsertIfNew(2));
  EXPECT_FALSE(filter.InsertIfNew(1));
  EXPECT_TRUE(filter.InsertIfNew(3));  // forgets 1, seen again just before
  EXPECT_TRUE(filter.InsertIfNew(1));
  EXPECT_EQ(TagsOf(filter), (std::vector<uint64_t>{3, 1}));
}

TEST(RowFilterTest, ZeroRowsRemembersNothing) {
  RowFilter filter(0);
  filter.Prefetch(1);
  EXPECT_TRUE(filter.InsertIfNew(1));
  EXPECT_TRUE(filter.InsertIfNew(1));
  EXPECT_EQ(filter.bytes(), 0U);
}

TEST(RowFilterTest, MemoryGrowsWithContentUpToTheStatedBound) {
  constexpr uint32_t kRows = 16 * 1024;
  RowFilter filter(kRows);
  EXPECT_EQ(filter.bytes(), 0U);
  filter.InsertIfNew(1);
  EXPECT_LE(filter.bytes(), 256U);
  for (uint64_t tag = 2; tag < 4 * kRows; ++tag) ASSERT_TRUE(filter.InsertIfNew(tag));
  EXPECT_EQ(filter.size(), kRows);
  EXPECT_LE(filter.bytes(), RowFilter::MaxBytes(kRows));
  EXPECT_LE(RowFilter::MaxBytes(kRows), 333U * 1024);
}

TEST(RowFilterTest, DigestIsOfTheRowsInLogOrderAlone) {
  RowFilter wrapped(3);
  for (const uint64_t tag : {9, 8, 1, 2, 3}) wrapped.InsertIfNew(tag);
  RowFilter fresh(3);
  for (const uint64_t tag : {1, 2, 3}) fresh.InsertIfNew(tag);
  EXPECT_EQ(DigestOf(wrapped), DigestOf(fresh));
  RowFilter reordered(3);
  for (const uint64_t tag : {2, 1, 3}) reordered.InsertIfNew(tag);
  EXPECT_NE(DigestOf(reordered), DigestOf(fresh));
}

}  // namespace
}  // namespace caracal::agents
