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

SnapshotCatalog WithComplete(const std::vector<SnapshotId>& ids) {
  SnapshotCatalog catalog(kPlace);
  for (const SnapshotId& id : ids) {
    catalog.AddChunk(id, 0);
    catalog.MarkComplete(id);
  }
  return catalog;
}

TEST(SnapshotCatalogTest, ChangesSupersedeEverythingOlderButTheirBase) {
  const SnapshotId older = {50, kTestLayout};
  const SnapshotId base = {100, kTestLayout};
  const SnapshotId old_changes = {150, kTestLayout, 100};
  const SnapshotId incomplete = {160, kTestLayout, 100};
  const SnapshotId fresh = {200, kTestLayout, 100};
  SnapshotCatalog catalog = WithComplete({older, base, old_changes, fresh});
  catalog.AddChunk(incomplete, 3);
  EXPECT_EQ(catalog.SupersededKeys(fresh),
            (Keys{KeyOf(older, 0), KeyOf(old_changes, 0), KeyOf(incomplete, 3)}));
  catalog.ForgetSuperseded(fresh);
  EXPECT_EQ(catalog.SupersededKeys(fresh), Keys());
  EXPECT_EQ(catalog.snapshots().size(), 2U);

  const SnapshotId whole = {300, kTestLayout};
  catalog.AddChunk(whole, 0);
  EXPECT_EQ(catalog.SupersededKeys(whole), Keys()) << "it is not complete";
  catalog.MarkComplete(whole);
  EXPECT_EQ(catalog.SupersededKeys(whole), (Keys{KeyOf(base, 0), KeyOf(fresh, 0)}));
}

TEST(SnapshotCatalogTest, ChangesWithoutACompleteBaseSupersedeNothing) {
  const SnapshotId changes = {200, kTestLayout, 100};
  SnapshotCatalog catalog = WithComplete({{50, kTestLayout}, changes});
  EXPECT_EQ(catalog.SupersededKeys(changes), Keys());
  EXPECT_EQ(catalog.FindComplete(changes), nullptr);
  catalog.AddChunk(changes.BaseId(), 0);
  EXPECT_EQ(catalog.SupersededKeys(changes), Keys());
  catalog.MarkComplete(changes.BaseId());
  EXPECT_EQ(catalog.SupersededKeys(changes).size(), 1U);
  EXPECT_NE(catalog.FindComplete(changes), nullptr);
}

// A stale writer's whole snapshot comes late: what others have built since keeps its base.
TEST(SnapshotCatalogTest, ABaseThatChangesToComeNeedIsKept) {
  const SnapshotId base = {100, kTestLayout};
  const SnapshotId changes = {300, kTestLayout, 100};
  const SnapshotId whole = {200, kTestLayout};
  SnapshotCatalog catalog = WithComplete({{50, kTestLayout}, base, changes, whole});
  EXPECT_EQ(catalog.SupersededKeys(whole), (Keys{KeyOf({50, kTestLayout}, 0)}));
}

TEST(SnapshotCatalogTest, AfterARewindChangesBeyondAreToBeDeletedAndTheirBaseIsNot) {
  const SnapshotId changes = {300, kTestLayout, 100};
  SnapshotCatalog catalog = WithComplete({{100, kTestLayout}, changes});
  EXPECT_EQ(catalog.KeysBeyond(299), (Keys{KeyOf(changes, 0)}));
  EXPECT_EQ(catalog.KeysBeyond(300), Keys());
}

}  // namespace
}  // namespace caracal::pipeline
