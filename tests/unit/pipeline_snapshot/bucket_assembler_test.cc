#include "pipeline/snapshot/bucket_assembler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/snapshot/bucket_chunks.h"
#include "tests/unit/pipeline_snapshot/state_topic.h"

namespace caracal::pipeline {
namespace {

/// Snapshots as "bucket@offset:image".
std::vector<std::string> Describe(const std::vector<AssembledSnapshot>& snapshots) {
  std::vector<std::string> texts;
  for (const AssembledSnapshot& snapshot : snapshots) {
    texts.push_back(std::to_string(snapshot.bucket) + "@" + std::to_string(snapshot.id.offset) +
                    ":" + snapshot.image);
  }
  return texts;
}

using Texts = std::vector<std::string>;

BucketChunks Chunks(BucketSnapshot snapshot) {
  return BucketChunks(std::move(snapshot), kTestValueBytes);
}

/// An image of three chunks that starts with `name`.
std::string Image(std::string name) {
  name.resize(100, '.');
  return name;
}

std::string Taken(uint32_t bucket, int64_t offset, const std::string& name) {
  return std::to_string(bucket) + "@" + std::to_string(offset) + ":" + Image(name);
}

TEST(BucketAssemblerTest, NothingComesOfNothing) {
  const AssembledState state = StateTopic().Read(TestOptions());
  EXPECT_TRUE(state.snapshots.empty());
  EXPECT_TRUE(state.catalogs.empty());
  EXPECT_EQ(state.counts.records, 0U);
}

TEST(BucketAssemblerTest, TakesTheNewestCompleteSnapshotOfEveryBucketUpToC) {
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("old"))));
  topic.Put(Chunks(TestSnapshot(1, 100, Image("only"))));
  topic.Put(Chunks(TestSnapshot(0, 1000, Image("newest"))));
  topic.Put(Chunks(TestSnapshot(0, 1001, Image("beyond"))));
  topic.Put(Chunks(TestSnapshot(0, 900, Image("late"))));
  const AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), (Texts{Taken(0, 1000, "newest"), Taken(1, 100, "only")}));
  EXPECT_TRUE(state.missed.empty());
  EXPECT_EQ(state.counts.chunks, 15U);
  EXPECT_EQ(state.counts.duplicates, 0U);
}

TEST(BucketAssemblerTest, ChunksMayComeInAnyOrderDoubledAndMixed) {
  const BucketChunks a = Chunks(TestSnapshot(0, 100, Image("a")));
  const BucketChunks b = Chunks(TestSnapshot(0, 200, Image("b")));
  StateTopic topic;
  for (const uint32_t i : {2, 0, 2, 1}) {
    topic.Put(a.Record(i));
    topic.Put(b.Record(2 - i));
  }
  const AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 200, "b")});
  EXPECT_EQ(state.counts.duplicates, 2U);
}

TEST(BucketAssemblerTest, AnIncompleteSnapshotLeavesTheOlderOneInPlace) {
  const BucketChunks fresh = Chunks(TestSnapshot(0, 200, Image("fresh")));
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("old"))));
  topic.Put(fresh.Record(0));
  topic.Put(fresh.Record(2));
  const AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 100, "old")});
  const SnapshotCatalog& catalog = state.catalogs.at(0);
  EXPECT_TRUE(catalog.snapshots().at({100, kTestLayout}).complete);
  EXPECT_FALSE(catalog.snapshots().at({200, kTestLayout}).complete);
  EXPECT_EQ(catalog.snapshots().at({200, kTestLayout}).chunks, (std::set<uint32_t>{0, 2}));
}

TEST(BucketAssemblerTest, CatalogsLetTheNextSnapshotCleanUp) {
  const BucketChunks broken = Chunks(TestSnapshot(0, 200, Image("broken")));
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("old"))));
  topic.Put(broken.Record(1));
  topic.Put(Chunks(TestSnapshot(0, 2000, Image("beyond"))));
  SnapshotCatalog catalog = topic.Read(TestOptions()).catalogs.at(0);
  const BucketChunks fresh = Chunks(TestSnapshot(0, 300, Image("fresh")));
  for (uint32_t i = 0; i < fresh.size(); ++i) {
    catalog.AddChunk(fresh.id(), i);
    topic.Put(fresh.Record(i));
  }
  catalog.MarkComplete(fresh.id());
  for (const std::string& key : catalog.SupersededKeys(fresh.id())) topic.Delete(key);
  for (const std::string& key : catalog.KeysBeyond(1000)) topic.Delete(key);
  EXPECT_EQ(topic.Content().size(), fresh.size());
  EXPECT_EQ(Describe(topic.Read(TestOptions()).snapshots), Texts{Taken(0, 300, "fresh")});
}

TEST(BucketAssemblerTest, ATombstoneTakesItsChunkAway) {
  const BucketChunks chunks = Chunks(TestSnapshot(0, 100, Image("a")));
  StateTopic topic;
  topic.Put(chunks);
  topic.Delete(chunks.Record(1).key);
  EXPECT_TRUE(topic.Read(TestOptions()).snapshots.empty());
  topic.Put(chunks.Record(1));
  // The other chunks were given away with the image: the snapshot is named, not lost silently.
  AssembledState state = topic.Read(TestOptions());
  EXPECT_TRUE(state.snapshots.empty());
  EXPECT_EQ(state.missed, (std::vector<MissedSnapshot>{{0, {100, kTestLayout}}}));
  topic.Compact();
  EXPECT_EQ(Describe(topic.Read(TestOptions()).snapshots), Texts{Taken(0, 100, "a")});
}

TEST(BucketAssemblerTest, SnapshotsDeletedWholeLeaveNoTrace) {
  const BucketChunks chunks = Chunks(TestSnapshot(0, 100, Image("a")));
  BucketAssembler assembler(TestOptions());
  for (uint32_t i = 0; i < 3; ++i) {
    const StateRecord record = chunks.Record(i);
    assembler.Add(record.key, record.value);
  }
  EXPECT_EQ(assembler.held_bytes(), 100U);
  for (uint32_t i = 0; i < 3; ++i) assembler.Add(chunks.Record(i).key, {});
  assembler.Add(chunks.Record(0).key, {});  // once more: nothing to take away
  EXPECT_EQ(assembler.held_bytes(), 0U);
  const AssembledState state = assembler.Finish();
  EXPECT_TRUE(state.catalogs.empty());
  EXPECT_EQ(state.counts.tombstones, 4U);
}

TEST(BucketAssemblerTest, TheLastValueOfAChunkCounts) {
  // Two writers that disagree about one snapshot, which none of ours do.
  const BucketChunks a = Chunks(TestSnapshot(0, 100, Image("a")));
  const BucketChunks b = Chunks(TestSnapshot(0, 100, Image("b")));
  StateTopic topic;
  topic.Put(a);
  topic.Put(b.Record(0));
  EXPECT_TRUE(topic.Read(TestOptions()).snapshots.empty());
  topic.Put(b.Record(1));
  topic.Put(b.Record(2));
  EXPECT_EQ(Describe(topic.Read(TestOptions()).snapshots), Texts{Taken(0, 100, "b")});
}

TEST(BucketAssemblerTest, AChunkBehindTheLastOfACompleteSnapshotChangesNothing) {
  const BucketChunks a = Chunks(TestSnapshot(0, 100, Image("a")));
  const BucketChunks longer = Chunks(TestSnapshot(0, 100, std::string(400, 'x')));
  StateTopic topic;
  topic.Put(a);
  topic.Put(longer.Record(7));
  EXPECT_EQ(Describe(topic.Read(TestOptions()).snapshots), Texts{Taken(0, 100, "a")});
}

TEST(BucketAssemblerTest, DamagedChunksAreAsMissing) {
  const BucketChunks chunks = Chunks(TestSnapshot(0, 200, Image("a")));
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("old"))));
  topic.Put(chunks);
  topic.log().back().value->back() = '!';
  AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 100, "old")});
  EXPECT_EQ(state.counts.damaged, 1U);
  EXPECT_EQ(state.catalogs.at(0).snapshots().at(chunks.id()).chunks.size(), 3U);
  topic.Put(chunks.Record(2));
  state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 200, "a")});
}

// Chunks that are each intact, with an image digest that is wrong: only a bug could write them.
TEST(BucketAssemblerTest, AnImageWithAWrongDigestIsNeverReturned) {
  for (const char* data : {"too few", "as many!"}) {
    StateTopic forged;
    const ChunkKey key = {{"bank.public.transactions", 3, 0}, {100, kTestLayout}, 0};
    const std::string text = FormatChunkKey(key);
    forged.Put({text, EncodeChunkValue(key, text,
                                       {{.chunks = 1,
                                         .buckets = kTestBuckets,
                                         .seed_fingerprint = kTestFingerprint,
                                         .image_bytes = 8,
                                         .image_digest = DigestOfImage("an image")},
                                        data})});
    forged.Put({forged.log()[0].key, *forged.log()[0].value});
    const AssembledState state = forged.Read(TestOptions());
    EXPECT_TRUE(state.snapshots.empty());
    EXPECT_TRUE(state.missed.empty());
    EXPECT_EQ(state.counts.damaged_images, 1U);
    EXPECT_FALSE(state.catalogs.at(0).snapshots().at(key.snapshot).complete);
  }
}

TEST(BucketAssemblerTest, OtherLayoutsAreTakenApartAndUpToTheirOwnBound) {
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("x"), kOtherLayout)));
  topic.Put(Chunks(TestSnapshot(0, 400, Image("y"), {1, 1})));
  topic.Put(Chunks(TestSnapshot(0, 600, Image("z"), kOtherLayout)));
  topic.Put(Chunks(TestSnapshot(0, 700, Image("own"))));
  AssemblerOptions options = TestOptions();
  AssembledState state = topic.Read(options);
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 700, "own")});
  EXPECT_TRUE(state.carry_over.empty());
  options.carry_over_until = 500;
  state = topic.Read(options);
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 700, "own")});
  EXPECT_EQ(Describe(state.carry_over), Texts{Taken(0, 400, "y")});
  EXPECT_EQ(state.carry_over[0].id.layout, (agents::StateDigest{1, 1}));
  EXPECT_EQ(state.catalogs.at(0).snapshots().size(), 4U);
}

TEST(BucketAssemblerTest, SnapshotsOfAnotherSeedOrNumberOfBucketsAreNotTaken) {
  BucketSnapshot reseeded = TestSnapshot(0, 300, Image("seed"));
  reseeded.seed_fingerprint = 1;
  BucketSnapshot resized = TestSnapshot(0, 200, Image("buckets"));
  resized.buckets = 16;
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("ours"))));
  topic.Put(Chunks(std::move(reseeded)));
  topic.Put(Chunks(std::move(resized)));
  topic.Put(Chunks(TestSnapshot(kTestBuckets, 100, Image("no such bucket"))));
  const AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 100, "ours")});
  EXPECT_EQ(state.counts.other_scheme, 9U);
  EXPECT_TRUE(state.missed.empty());
  EXPECT_EQ(state.catalogs.at(0).snapshots().size(), 3U);  // to be deleted some day
}

TEST(BucketAssemblerTest, CountsWhatIsNotItsOwn) {
  BucketSnapshot other_partition = TestSnapshot(0, 100, "x");
  other_partition.place.partition = 4;
  BucketSnapshot other_topic = TestSnapshot(0, 100, "x");
  other_topic.place.topic = "bank.public.transfers";
  StateTopic topic;
  topic.Put(BucketChunks(other_partition));
  topic.Put(BucketChunks(other_topic));
  topic.Put({"rules/1/9c1e4d20a7b3", "{}"});
  topic.Put({"1042", "{}"});
  topic.Put({"bucket/0/x", "?"});
  topic.Put({"bucket/2/x", "?"});
  StateRecord codec = BucketChunks(TestSnapshot(0, 100, "x")).Record(0);
  codec.value[24] = 9;
  const agents::StateDigest digest = DigestOfChunk(codec.key, codec.value);
  codec.value.replace(8, 16, std::string(reinterpret_cast<const char*>(&digest), 16));
  topic.Put(codec);
  topic.Delete("bucket/2/y");
  BucketAssembler assembler(TestOptions());
  assembler.Add({}, "no key");
  EXPECT_EQ(assembler.Finish().counts.malformed, 1U);
  const AssemblerCounts counts = topic.Read(TestOptions()).counts;
  EXPECT_EQ(counts.records, 8U);
  EXPECT_EQ(counts.other_place, 2U);
  EXPECT_EQ(counts.other_kind, 1U);
  EXPECT_EQ(counts.malformed, 1U);
  EXPECT_EQ(counts.older_format, 1U);
  EXPECT_EQ(counts.newer_format, 3U);
  EXPECT_EQ(counts.chunks, 0U);
  EXPECT_TRUE(topic.Read(TestOptions()).snapshots.empty());
}

TEST(BucketAssemblerTest, HoldsNothingThatCannotWinAnyMore) {
  const BucketChunks partial = Chunks(TestSnapshot(0, 100, Image("partial")));
  const BucketChunks fresh = Chunks(TestSnapshot(0, 200, Image("fresh")));
  const BucketChunks beyond = Chunks(TestSnapshot(0, 2000, Image("beyond")));
  BucketAssembler assembler(TestOptions());
  const auto add = [&assembler](const BucketChunks& chunks, uint32_t index) {
    const StateRecord record = chunks.Record(index);
    assembler.Add(record.key, record.value);
    return assembler.held_bytes();
  };
  EXPECT_EQ(add(partial, 0), 40U);
  EXPECT_EQ(add(beyond, 0), 40U);
  EXPECT_EQ(add(fresh, 0), 80U);
  EXPECT_EQ(add(fresh, 1), 120U);
  EXPECT_EQ(add(fresh, 2), 100U);    // complete: the partial one has lost
  EXPECT_EQ(add(partial, 1), 100U);  // and stays so
}

TEST(BucketAssemblerTest, WhatDoesNotFitIsDroppedAndNamed) {
  AssemblerOptions options = TestOptions();
  options.held_bytes_max = 150;
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("old"))));
  topic.Put(Chunks(TestSnapshot(0, 200, Image("new"))));
  topic.Put(BucketChunks(TestSnapshot(1, 200, "small"), kTestValueBytes));
  const AssembledState state = topic.Read(options);
  EXPECT_EQ(Describe(state.snapshots), (Texts{Taken(0, 100, "old"), "1@200:small"}));
  EXPECT_EQ(state.missed, (std::vector<MissedSnapshot>{{0, {200, kTestLayout}}}));
  EXPECT_EQ(state.counts.dropped_chunks, 1U);
}

TEST(BucketAssemblerTest, KnowsNoMoreChunksThanTheLimit) {
  AssemblerOptions options = TestOptions();
  options.known_chunks_max = 4;
  const BucketChunks second = Chunks(TestSnapshot(1, 100, Image("b")));
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("a"))));
  topic.Put(second);
  topic.Put(Chunks(TestSnapshot(0, 100, Image("a"))));  // known already
  AssembledState state = topic.Read(options);
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 100, "a")});
  EXPECT_EQ(state.counts.beyond_limit, 2U);
  EXPECT_EQ(state.counts.duplicates, 3U);
  EXPECT_EQ(state.catalogs.at(1).snapshots().at(second.id()).chunks.size(), 1U);
  // Deleted chunks make room.
  for (uint32_t i = 0; i < 3; ++i)
    topic.Delete(Chunks(TestSnapshot(0, 100, Image("a"))).Record(i).key);
  topic.Put(second);
  state = topic.Read(options);
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(1, 100, "b")});
}

TEST(BucketAssemblerTest, TakesTheNewestCompleteChangesToTheNewestWholeSnapshotUpToC) {
  const BucketSnapshot base = TestSnapshot(0, 100, Image("base"));
  StateTopic topic;
  topic.Put(Chunks(base));
  topic.Put(Chunks(TestChanges(base, 300, "a change")));
  topic.Put(Chunks(TestChanges(base, 400, Image("changes"))));
  topic.Put(Chunks(TestChanges(base, 1001, "beyond")));
  AssembledState state = topic.Read(TestOptions());
  ASSERT_EQ(Describe(state.snapshots), Texts{Taken(0, 400, "base")});
  EXPECT_EQ(state.snapshots[0].changes, Image("changes"));
  EXPECT_EQ(state.snapshots[0].WholeId(), base.id);
  EXPECT_TRUE(state.missed.empty());
  EXPECT_EQ(state.counts.without_base, 0U);
  topic.Put(Chunks(TestSnapshot(0, 500, Image("whole"))));
  state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 500, "whole")});
  EXPECT_TRUE(state.snapshots[0].changes.empty());
}

TEST(BucketAssemblerTest, ChangesMayComeBeforeTheirBaseAndAmongItsChunks) {
  const BucketSnapshot snapshot = TestSnapshot(0, 100, Image("base"));
  const BucketChunks base = Chunks(snapshot);
  const BucketChunks older = Chunks(TestChanges(snapshot, 200, Image("older")));
  const BucketChunks changes = Chunks(TestChanges(snapshot, 300, Image("changes")));
  StateTopic topic;
  topic.Put(changes);
  topic.Put(base.Record(2));
  topic.Put(older);
  topic.Put(base.Record(0));
  topic.Put(base.Record(1));
  const AssembledState state = topic.Read(TestOptions());
  ASSERT_EQ(Describe(state.snapshots), Texts{Taken(0, 300, "base")});
  EXPECT_EQ(state.snapshots[0].changes, Image("changes"));
}

TEST(BucketAssemblerTest, IncompleteOrDamagedChangesLeaveTheOlderOnesOrTheWholeInPlace) {
  const BucketSnapshot base = TestSnapshot(0, 100, Image("base"));
  const BucketChunks first = Chunks(TestChanges(base, 200, "first"));
  const BucketChunks second = Chunks(TestChanges(base, 300, Image("second")));
  StateTopic topic;
  topic.Put(Chunks(base));
  topic.Put(second.Record(0));
  topic.Put(second.Record(1));
  AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 100, "base")});
  EXPECT_TRUE(state.snapshots[0].changes.empty());
  topic.Put(first);
  topic.Put(second.Record(2));
  topic.log().back().value->back() = '!';
  state = topic.Read(TestOptions());
  ASSERT_EQ(Describe(state.snapshots), Texts{Taken(0, 200, "base")});
  EXPECT_EQ(state.snapshots[0].changes, "first");
  EXPECT_EQ(state.counts.damaged, 1U);
}

TEST(BucketAssemblerTest, ChangesWithoutTheirBaseAreCountedAndLeftAlone) {
  const BucketSnapshot base = TestSnapshot(0, 100, Image("base"));
  const BucketChunks whole = Chunks(base);
  const BucketChunks changes = Chunks(TestChanges(base, 200, "changes"));
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 50, Image("old"))));
  topic.Put(whole.Record(0));
  topic.Put(whole.Record(1));
  topic.Put(changes);
  AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 50, "old")});
  EXPECT_EQ(state.counts.without_base, 1U);
  EXPECT_TRUE(state.missed.empty());
  EXPECT_EQ(state.catalogs.at(0).FindComplete(changes.id()), nullptr);
  topic.Put(whole.Record(2));
  state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 200, "base")});
  EXPECT_NE(state.catalogs.at(0).FindComplete(changes.id()), nullptr);
}

// Two writers that disagree about the whole snapshot, which none of ours do.
TEST(BucketAssemblerTest, ChangesAreTakenWithTheVeryImageTheyBelongToAlone) {
  const BucketSnapshot base = TestSnapshot(0, 100, Image("base"));
  StateTopic topic;
  topic.Put(Chunks(TestSnapshot(0, 100, Image("other"))));
  topic.Put(Chunks(TestChanges(base, 200, "changes")));
  const AssembledState state = topic.Read(TestOptions());
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 100, "other")});
  EXPECT_TRUE(state.snapshots[0].changes.empty());
  EXPECT_EQ(state.counts.without_base, 1U);
}

TEST(BucketAssemblerTest, ADeletedBaseTakesItsChangesAway) {
  const BucketSnapshot base = TestSnapshot(0, 100, Image("base"));
  const BucketChunks whole = Chunks(base);
  BucketAssembler assembler(TestOptions());
  for (const BucketChunks& chunks : {whole, Chunks(TestChanges(base, 200, Image("changes")))}) {
    for (uint32_t i = 0; i < chunks.size(); ++i) {
      const StateRecord record = chunks.Record(i);
      assembler.Add(record.key, record.value);
    }
  }
  EXPECT_EQ(assembler.held_bytes(), 200U);
  assembler.Add(whole.Record(1).key, {});
  EXPECT_EQ(assembler.held_bytes(), 0U);
  const AssembledState state = assembler.Finish();
  EXPECT_TRUE(state.snapshots.empty());
  EXPECT_EQ(state.counts.without_base, 1U);
}

TEST(BucketAssemblerTest, OtherLayoutsAreTakenWithTheirChanges) {
  const BucketSnapshot base = TestSnapshot(0, 100, Image("x"), kOtherLayout);
  StateTopic topic;
  topic.Put(Chunks(base));
  topic.Put(Chunks(TestChanges(base, 400, "changes")));
  topic.Put(Chunks(TestChanges(base, 600, "beyond")));
  AssemblerOptions options = TestOptions();
  options.carry_over_until = 500;
  const AssembledState state = topic.Read(options);
  EXPECT_EQ(Describe(state.carry_over), Texts{Taken(0, 400, "x")});
  EXPECT_EQ(state.carry_over[0].changes, "changes");
}

TEST(BucketAssemblerTest, ChangesThatDoNotFitLeaveTheWholeSnapshot) {
  const BucketSnapshot base = TestSnapshot(0, 100, Image("base"));
  AssemblerOptions options = TestOptions();
  options.held_bytes_max = 150;
  StateTopic topic;
  topic.Put(Chunks(base));
  topic.Put(Chunks(TestChanges(base, 200, Image("changes"))));
  const AssembledState state = topic.Read(options);
  EXPECT_EQ(Describe(state.snapshots), Texts{Taken(0, 100, "base")});
  EXPECT_EQ(state.missed, (std::vector<MissedSnapshot>{{0, {200, kTestLayout, 100}}}));
}

}  // namespace
}  // namespace caracal::pipeline
