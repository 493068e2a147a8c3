// Random logs of a state topic against a simple model that looks at the compacted end of the log:
// never a wrong image, and the best one wherever nothing was taken back.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/bucket_chunks.h"
#include "tests/unit/pipeline_snapshot/state_topic.h"

namespace caracal::pipeline {
namespace {

/// A complete snapshot: its image, or that of its base, and its changes.
struct Held {
  std::string image;
  std::string changes;
};
/// Complete snapshots of one contest by bucket, as the compacted topic has them.
using Complete = std::map<uint32_t, std::map<SnapshotId, Held>>;

struct Model {
  Complete own;
  Complete others;
};

/// Joins the pieces of one snapshot; nullopt = something is missing or wrong.
std::optional<std::string> Join(const std::map<uint32_t, ChunkValue>& pieces) {
  if (!pieces.contains(0)) return std::nullopt;
  const SnapshotDescription& snapshot = pieces.at(0).snapshot;
  std::string image;
  for (uint32_t i = 0; i < snapshot.chunks; ++i) {
    const auto piece = pieces.find(i);
    if (piece == pieces.end() || piece->second.snapshot != snapshot) return std::nullopt;
    image += piece->second.data;
  }
  if (snapshot.buckets != kTestBuckets || snapshot.seed_fingerprint != kTestFingerprint ||
      DigestOfImage(image) != snapshot.image_digest) {
    return std::nullopt;
  }
  return image;
}

Model ModelOf(const std::map<std::string, std::string>& content, const AssemblerOptions& options) {
  std::map<std::pair<uint32_t, SnapshotId>, std::map<uint32_t, ChunkValue>> pieces;
  for (const auto& [text, bytes] : content) {
    const StateKey key = ParseStateKey(text);
    ChunkValue value;
    if (key.kind != StateKeyKind::kChunk || key.chunk.place.topic != options.topic ||
        key.chunk.place.partition != options.partition ||
        DecodeChunkValue(key.chunk, text, bytes, value) != ChunkVerdict::kIntact) {
      continue;
    }
    pieces[{key.chunk.place.bucket, key.chunk.snapshot}][key.chunk.index] = value;
  }
  Model model;
  for (const auto& [place, found] : pieces) {
    const auto& [bucket, id] = place;
    const bool own = id.layout == options.layout;
    const std::optional<std::string> image = Join(found);
    if (bucket >= options.buckets || !image.has_value()) continue;
    if (id.offset > (own ? options.committed : options.carry_over_until)) continue;
    Held held = {*image, ""};
    if (!id.is_whole()) {
      const auto base = pieces.find({bucket, id.BaseId()});
      const auto whole = base == pieces.end() ? std::nullopt : Join(base->second);
      if (!whole.has_value() || DigestOfImage(*whole) != found.at(0).snapshot.base_digest) continue;
      held = {*whole, *image};
    }
    (own ? model.own : model.others)[bucket][id] = held;
  }
  return model;
}

bool Missed(const AssembledState& state, uint32_t bucket, const SnapshotId& id) {
  return std::find(state.missed.begin(), state.missed.end(), MissedSnapshot{bucket, id}) !=
         state.missed.end();
}

/// Every snapshot taken is a complete one, and the best, or the best is named as missed.
void ExpectLike(const Complete& model, const std::vector<AssembledSnapshot>& taken,
                const AssembledState& state) {
  std::map<uint32_t, SnapshotId> ids;
  for (const AssembledSnapshot& snapshot : taken) {
    ASSERT_TRUE(ids.emplace(snapshot.bucket, snapshot.id).second);
    const auto bucket = model.find(snapshot.bucket);
    ASSERT_NE(bucket, model.end());
    const auto complete = bucket->second.find(snapshot.id);
    ASSERT_NE(complete, bucket->second.end());
    ASSERT_EQ(snapshot.image, complete->second.image);
    ASSERT_EQ(snapshot.changes, complete->second.changes);
  }
  for (const auto& [bucket, complete] : model) {
    const SnapshotId& best = complete.rbegin()->first;
    const bool has_best = ids.contains(bucket) && ids.at(bucket) == best;
    ASSERT_NE(has_best, Missed(state, bucket, best)) << bucket << "@" << best.offset;
  }
}

BucketChunks Chunks(std::mt19937& random, BucketSnapshot snapshot) {
  return BucketChunks(std::move(snapshot), ChunkValue::kChangesHeaderBytes + random() % 60 + 5);
}

BucketSnapshot RandomSnapshot(std::mt19937& random) {
  BucketSnapshot snapshot = TestSnapshot(random() % 4, static_cast<int64_t>(random() % 12 * 100),
                                         RandomImage(random, random() % 200 + 1));
  if (random() % 3 == 0) snapshot.id.layout = random() % 2 == 0 ? kOtherLayout : kTestLayout;
  if (random() % 20 == 0) snapshot.buckets = 16;
  if (random() % 20 == 0) snapshot.seed_fingerprint = 1;
  if (random() % 20 == 0) snapshot.place.partition = 4;
  if (random() % 20 == 0) snapshot.place.bucket = kTestBuckets;
  return snapshot;
}

/// Makes snapshots as our writers do: every one later than those before it, and changes to the
/// newest whole one of their bucket alone.
class Writers {
 public:
  explicit Writers(std::mt19937& random) : random_(random) {}

  BucketChunks Next() {
    BucketSnapshot snapshot = RandomSnapshot(random_);
    snapshot.id.offset = next_offset_++ * 40;
    std::optional<BucketSnapshot>& base = bases_[{snapshot.place.bucket, snapshot.place.partition}];
    const bool may_follow = base.has_value() && base->id.layout == snapshot.id.layout;
    if (may_follow && random_() % 3 != 0) {
      snapshot = TestChanges(*base, snapshot.id.offset, snapshot.image);
    } else {
      base = snapshot;
    }
    return Chunks(random_, std::move(snapshot));
  }

 private:
  std::mt19937& random_;
  int64_t next_offset_ = 0;
  std::map<std::pair<uint32_t, int32_t>, std::optional<BucketSnapshot>> bases_;
};

std::vector<StateRecord> RecordsOf(const BucketChunks& chunks) {
  std::vector<StateRecord> records;
  for (uint32_t i = 0; i < chunks.size(); ++i) records.push_back(chunks.Record(i));
  return records;
}

AssemblerOptions RandomOptions(std::mt19937& random) {
  AssemblerOptions options = TestOptions();
  options.committed = static_cast<int64_t>(random() % 12 * 100);
  options.carry_over_until = static_cast<int64_t>(random() % 8 * 100) - 100;
  return options;
}

// Writers that interleave, stop in the middle and repeat themselves, but take nothing back and
// agree about every snapshot: as ours do. The best is always found.
TEST(BucketAssemblerPropertyTest, FindsTheBestOfWhatAgreeingWritersLeave) {
  size_t taken = 0;
  size_t carried = 0;
  size_t changes = 0;
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::vector<StateRecord> records;
    Writers writers(random);
    for (uint32_t left = random() % 30; left > 0; --left) {
      for (const StateRecord& record : RecordsOf(writers.Next())) {
        if (random() % 30 != 0) records.push_back(record);
        if (random() % 10 == 0) records.push_back(record);
      }
    }
    std::shuffle(records.begin(), records.end(), random);
    StateTopic topic;
    for (const StateRecord& record : records) topic.Put(record);
    const AssemblerOptions options = RandomOptions(random);
    const AssembledState state = topic.Read(options);
    const Model model = ModelOf(topic.Content(), options);
    ExpectLike(model.own, state.snapshots, state);
    ExpectLike(model.others, state.carry_over, state);
    ASSERT_TRUE(state.missed.empty());
    for (const AssembledSnapshot& snapshot : state.snapshots) {
      changes += snapshot.id.is_whole() ? 0 : 1;
    }
    taken += state.snapshots.size();
    carried += state.carry_over.size();
  }
  EXPECT_GT(taken, 150U);
  EXPECT_GT(carried, 25U);
  EXPECT_GT(changes, 50U);
}

// Anything: writers that disagree, tombstones anywhere, damage, too little memory.
TEST(BucketAssemblerPropertyTest, NeverTakesAWrongImageWhateverTheLog) {
  size_t missed = 0;
  size_t taken = 0;
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    StateTopic topic;
    std::vector<StateTopic::Entry>& log = topic.log();
    for (uint32_t left = random() % 40; left > 0; --left) {
      const BucketSnapshot snapshot = RandomSnapshot(random);
      std::vector<StateRecord> records = RecordsOf(Chunks(random, snapshot));
      if (random() % 3 == 0) {
        // Changes to it, or to one that is like it but for its image.
        BucketSnapshot changes =
            TestChanges(snapshot, snapshot.id.offset + static_cast<int64_t>(random() % 5 + 1) * 50,
                        RandomImage(random, random() % 100 + 1));
        if (random() % 4 == 0) changes.base_digest = {};
        for (StateRecord& record : RecordsOf(Chunks(random, std::move(changes)))) {
          records.push_back(std::move(record));
        }
      }
      if (random() % 4 == 0) std::shuffle(records.begin(), records.end(), random);
      for (const StateRecord& record : records) {
        if (random() % 30 != 0) topic.Put(record);
        if (log.empty()) continue;
        if (random() % 15 == 0) topic.Delete(log[random() % log.size()].key);
        if (random() % 15 == 0) log.push_back(log[random() % log.size()]);
      }
    }
    for (StateTopic::Entry& entry : log) {
      if (random() % 40 != 0 || !entry.value.has_value()) continue;
      std::string& bytes = random() % 2 == 0 ? entry.key : *entry.value;
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    }
    if (random() % 2 == 0) topic.Compact();
    AssemblerOptions options = RandomOptions(random);
    if (random() % 3 == 0) options.held_bytes_max = random() % 800;
    const AssembledState state = topic.Read(options);
    const Model model = ModelOf(topic.Content(), options);
    ExpectLike(model.own, state.snapshots, state);
    ExpectLike(model.others, state.carry_over, state);
    missed += state.missed.size();
    taken += state.snapshots.size() + state.carry_over.size();
    size_t chunks = 0;
    for (const auto& [bucket, catalog] : state.catalogs) {
      for (const auto& [id, entry] : catalog.snapshots()) chunks += entry.chunks.size();
    }
    size_t keys = 0;
    for (const auto& [text, value] : topic.Content()) {
      const StateKey key = ParseStateKey(text);
      keys += key.kind == StateKeyKind::kChunk && key.chunk.place.topic == options.topic &&
              key.chunk.place.partition == options.partition;
    }
    ASSERT_EQ(chunks, keys);  // everything that is there is known, to be deleted some day
  }
  EXPECT_GT(missed, 25U);
  EXPECT_GT(taken, 250U);
}

TEST(BucketAssemblerPropertyTest, HeldBytesNeverExceedTheLimitAndEndWithTheImages) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    AssemblerOptions options = RandomOptions(random);
    options.held_bytes_max = random() % 1000;
    BucketAssembler assembler(options);
    Writers writers(random);
    for (int i = 0; i < 40; ++i) {
      for (const StateRecord& record : RecordsOf(writers.Next())) {
        if (random() % 10 != 0) assembler.Add(record.key, record.value);
        if (random() % 10 == 0) assembler.Add(record.key, {});
        ASSERT_LE(assembler.held_bytes(), options.held_bytes_max);
      }
    }
    const AssembledState state = assembler.Finish();
    size_t images = 0;
    for (const auto* taken : {&state.snapshots, &state.carry_over}) {
      for (const AssembledSnapshot& snapshot : *taken) {
        images += snapshot.image.size() + snapshot.changes.size();
      }
    }
    ASSERT_GE(assembler.held_bytes(), images);
  }
}

// Every single bit of every record of a topic, one at a time.
TEST(BucketAssemblerPropertyTest, NoSingleFlippedBitGivesAnotherImage) {
  std::mt19937 random(7);
  StateTopic topic;
  topic.Put(BucketChunks(TestSnapshot(0, 100, RandomImage(random, 50)), kTestValueBytes));
  const BucketSnapshot base = TestSnapshot(0, 200, RandomImage(random, 70));
  topic.Put(BucketChunks(base, kTestValueBytes));
  topic.Put(BucketChunks(TestChanges(base, 300, RandomImage(random, 20)), kTestValueBytes));
  // No single bit makes one bucket's key the other's.
  topic.Put(BucketChunks(TestSnapshot(3, 200, RandomImage(random, 30)), kTestValueBytes));
  const Model whole = ModelOf(topic.Content(), TestOptions());
  for (StateTopic::Entry& entry : topic.log()) {
    for (std::string* bytes : {&entry.key, &*entry.value}) {
      for (size_t bit = 0; bit < bytes->size() * 8; ++bit) {
        (*bytes)[bit / 8] ^= static_cast<char>(1 << bit % 8);
        const AssembledState state = topic.Read(TestOptions());
        ASSERT_TRUE(state.carry_over.empty() && state.missed.empty());
        size_t best = 0;
        for (const AssembledSnapshot& snapshot : state.snapshots) {
          const auto& complete = whole.own.at(snapshot.bucket);
          ASSERT_EQ(snapshot.image, complete.at(snapshot.id).image);
          ASSERT_EQ(snapshot.changes, complete.at(snapshot.id).changes);
          best += snapshot.id == complete.rbegin()->first;
        }
        ASSERT_GE(best, 1U);  // of the bucket that was not touched
        (*bytes)[bit / 8] ^= static_cast<char>(1 << bit % 8);
      }
    }
  }
}

}  // namespace
}  // namespace caracal::pipeline
