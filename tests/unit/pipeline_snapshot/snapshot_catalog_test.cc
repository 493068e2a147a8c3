#include "pipeline/snapshot/snapshot_catalog.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/pipeline_snapshot/state_topic.h"

namespace caracal::pipeline {
namespace {

using Keys = std::vector<std::string>;

const BucketPlace kPlace = {"t", 3, 17};

std::string KeyOf(const SnapshotId& id, uint32_t index) {
  return FormatChunkKey({kPlace, id, index});
}

SnapshotCatalog WithSnapshots(const std::vector<SnapshotId>& ids) {
  SnapshotCatalog catalog(kPlace);
  for (const SnapshotId& id : ids) {
    catalog.AddChunk(id, 0);
    catalog.AddChunk(id, 1);
  }
  return catalog;
}

TEST(SnapshotCatalogTest, NothingIsSupersededBeforeTheNewSnapshotIsComplete) {
  const SnapshotId old = {100, kTestLayout};
  const SnapshotId fresh = {200, kTestLayout};
  SnapshotCatalog catalog = WithSnapshots({old});
  catalog.MarkComplete(old);
  EXPECT_EQ(catalog.SupersededKeys(fresh), Keys());  // not known at all
  catalog.AddChunk(fresh, 0);
  EXPECT_EQ(catalog.SupersededKeys(fresh), Keys());
  catalog.ForgetSuperseded(fresh);
  EXPECT_EQ(catalog.snapshots().size(), 2U);
  catalog.MarkComplete(fresh);
  EXPECT_EQ(catalog.SupersededKeys(fresh), (Keys{KeyOf(old, 0), KeyOf(old, 1)}));
  EXPECT_EQ(catalog.SupersededKeys(fresh),
            (Keys{KeyOf(old, 0), KeyOf(old, 1)}));  // until forgotten
  catalog.ForgetSuperseded(fresh);
  EXPECT_EQ(catalog.SupersededKeys(fresh), Keys());
  EXPECT_EQ(catalog.snapshots().size(), 1U);
}

TEST(SnapshotCatalogTest, OlderOnesAreSupersededCompleteOrNotWhateverTheirLayout) {
  const SnapshotId complete = {100, kTestLayout};
  const SnapshotId incomplete = {150, kTestLayout};
  const SnapshotId other = {199, kOtherLayout};
  const SnapshotId fresh = {200, kTestLayout};
  SnapshotCatalog catalog = WithSnapshots({other, complete, fresh});
  catalog.AddChunk(incomplete, 7);
  catalog.MarkComplete(complete);
  catalog.MarkComplete(fresh);
  EXPECT_EQ(catalog.SupersededKeys(fresh),
            (Keys{KeyOf(complete, 0), KeyOf(complete, 1), KeyOf(incomplete, 7), KeyOf(other, 0),
                  KeyOf(other, 1)}));
  EXPECT_EQ(catalog.SupersededKeys(complete), Keys());
}

TEST(SnapshotCatalogTest, OneWithTheSameOffsetOrAGreaterIsNeverSuperseded) {
  const SnapshotId fresh = {200, kTestLayout};
  SnapshotCatalog catalog =
      WithSnapshots({fresh, {200, kOtherLayout}, {200, {0, 0}}, {201, kTestLayout}});
  catalog.MarkComplete(fresh);
  EXPECT_EQ(catalog.SupersededKeys(fresh), Keys());
}

TEST(SnapshotCatalogTest, AfterARewindWhatLiesBeyondIsToBeDeleted) {
  const SnapshotId beyond = {201, kOtherLayout};
  SnapshotCatalog catalog = WithSnapshots({{100, kTestLayout}, {200, {~0UL, ~0UL}}, beyond});
  EXPECT_EQ(catalog.KeysBeyond(200), (Keys{KeyOf(beyond, 0), KeyOf(beyond, 1)}));
  EXPECT_EQ(catalog.KeysBeyond(201), Keys());
  catalog.ForgetBeyond(200);
  EXPECT_EQ(catalog.KeysBeyond(0).size(), 4U);
}

}  // namespace
}  // namespace caracal::pipeline
