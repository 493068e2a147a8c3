#include "agents/state/row_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
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

std::string ImageOf(const RowFilter& filter) {
  std::string image;
  filter.AppendTo(image);
  return image;
}

TEST(RowFilterTest, ImageIsTheTagsInLogOrder) {
  RowFilter wrapped(3);
  for (const uint64_t tag : {9, 8, 1, 2, 3}) wrapped.InsertIfNew(tag);
  using std::string_literals::operator""s;
  EXPECT_EQ(ImageOf(wrapped), "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"s);
}

// A filter that was restored at any point, and one that was not, say the same of every later row.
TEST(RowFilterTest, RestoredFilterGoesOnLikeTheSavedOne) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const auto max_rows = static_cast<uint32_t>(random() % 300 + 1);
    const uint64_t universe = max_rows * 3 / 2 + 1;
    RowFilter saved(max_rows);
    for (uint64_t left = random() % 1000; left > 0; --left) saved.InsertIfNew(random() % universe);
    RowFilter restored(max_rows);
    ASSERT_TRUE(restored.Restore(ImageOf(saved)));
    ASSERT_EQ(TagsOf(restored), TagsOf(saved));
    for (int i = 0; i < 2000; ++i) {
      const uint64_t tag = random() % universe;
      ASSERT_EQ(restored.InsertIfNew(tag), saved.InsertIfNew(tag)) << "step " << i;
    }
    EXPECT_EQ(DigestOf(restored), DigestOf(saved));
    EXPECT_LE(restored.bytes(), RowFilter::MaxBytes(max_rows));
  }
}

TEST(RowFilterTest, RestoresTheNewestRowsThatItMayHold) {
  RowFilter saved(5);
  for (uint64_t tag = 1; tag <= 5; ++tag) saved.InsertIfNew(tag);
  RowFilter smaller(2);
  ASSERT_TRUE(smaller.Restore(ImageOf(saved)));
  EXPECT_EQ(TagsOf(smaller), (std::vector<uint64_t>{4, 5}));
  RowFilter larger(7);
  ASSERT_TRUE(larger.Restore(ImageOf(saved)));
  for (uint64_t tag = 6; tag <= 8; ++tag) EXPECT_TRUE(larger.InsertIfNew(tag));
  EXPECT_EQ(TagsOf(larger), (std::vector<uint64_t>{2, 3, 4, 5, 6, 7, 8}));
  RowFilter none(0);
  EXPECT_TRUE(none.Restore(ImageOf(saved)));
  EXPECT_EQ(none.size(), 0U);
}

TEST(RowFilterTest, RefusesAnImageThatNamesARowTwice) {
  RowFilter saved(3);
  for (const uint64_t tag : {1, 2}) saved.InsertIfNew(tag);
  RowFilter restored(8);
  EXPECT_FALSE(restored.Restore(ImageOf(saved) + ImageOf(saved)));
}

TEST(RowFilterTest, SavesTheNewestRowsWhereverTheRingBegins) {
  RowFilter rows(5);
  for (uint64_t tag = 1; tag <= 12; ++tag) {
    rows.InsertIfNew(tag);
    const std::string whole = ImageOf(rows);
    for (size_t newest = 0; newest <= rows.size(); ++newest) {
      std::string image;
      rows.AppendNewest(newest, image);
      ASSERT_EQ(image, whole.substr((rows.size() - newest) * 8)) << tag << " " << newest;
    }
  }
}

TEST(RowFilterTest, CountsTheRowsThatCameSince) {
  RowFilter rows(3);
  rows.InsertIfNew(1);
  rows.BeginChanges();
  EXPECT_EQ(rows.changed_rows(), 0U);
  rows.InsertIfNew(1);
  EXPECT_EQ(rows.changed_rows(), 0U) << "a duplicate changes nothing";
  for (uint64_t tag = 2; tag <= 9; ++tag) rows.InsertIfNew(tag);
  EXPECT_EQ(rows.changed_rows(), 3U) << "of those that are remembered";
}

}  // namespace
}  // namespace caracal::agents
