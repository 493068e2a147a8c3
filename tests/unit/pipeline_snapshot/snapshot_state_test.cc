// Real buckets through chunks, a compacted topic and back: an instance that publishes, dies at any
// record and starts again has, after replay, the state of one that never died.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/ruleset/bucket_state.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/bucket_chunks.h"
#include "pipeline/snapshot/snapshot_catalog.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"
#include "tests/unit/pipeline_snapshot/state_topic.h"

namespace caracal::pipeline {
namespace {

using agents::BucketState;
using agents::TestEngine;
using agents::TestEvent;
using Rulesets = std::shared_ptr<const agents::CompiledRulesets>;

constexpr uint32_t kBuckets = 4;
constexpr uint32_t kRows = 16;

static_assert(agents::BucketImage::kFormat == kSnapshotFormat,
              "a new format of images is a new format of snapshots");

Rulesets Rules() {
  agents::RuleSpec keyed = agents::CountRule("keyed", 2, 1);
  keyed.key_suffix = {"merchant"};
  return agents::CompileForTest(
      {agents::Ruleset("x", 0, {agents::CountRule("plain", 3, 1), keyed})});
}

/// One partition: its records, by offset, and what became of them.
class Partition {
 public:
  Partition(uint32_t seed, Rulesets rulesets)
      : random_(seed),
        rulesets_(std::move(rulesets)),
        // With evictions, and without.
        limits_{BucketState::MinBytes(*rulesets_, kRows) * (seed % 2 == 0 ? 8 : 1), kRows},
        reference_(NewEngine()),
        engine_(NewEngine()) {
    ReadCatalogs({});
  }

  /// Appends records, processes and commits them.
  void Advance() {
    std::vector<TestEvent> events;
    for (uint32_t left = random_() % 60; left > 0; --left) {
      TestEvent event;
      event.key = "key" + std::to_string(random_() % 80);
      event.merchant = "m" + std::to_string(random_() % 3);
      event.time_us = committed() - static_cast<int64_t>(random_() % 30);
      if (random_() % 3 == 0) event.row = random_() % 50;
      events.push_back(event);
    }
    reference_->Evaluate(events, 0, random_);
    engine_->Evaluate(events, 0, random_);
    log_.insert(log_.end(), events.begin(), events.end());
  }

  /// Publishes one bucket, whole or its changes, unless it dies on the way; then the instance
  /// starts again.
  void Publish() {
    const uint32_t bucket = random_() % kBuckets;
    BucketState& state = engine_->bucket(bucket);
    BucketSnapshot snapshot{
        .place = {"bank.public.transactions", 3, bucket},
        .id = {committed(), rulesets_->layout().id},
        .buckets = kBuckets,
        .seed_fingerprint = agents::BucketImage::SeedFingerprint(rulesets_->hash_seed()),
        .image = {}};
    int64_t& base = bases_[bucket];
    if (base >= 0 && base < committed() && state.ChangesBytes().has_value() && random_() % 4 != 0) {
      state.AppendChangesTo(kBuckets, snapshot.image);
      snapshot.id.base = base;
      snapshot.base_digest = catalogs_.at(bucket).FindComplete(snapshot.id.BaseId())->image_digest;
    } else {
      state.AppendTo(kBuckets, snapshot.image);
      state.BeginChanges();
      base = committed();
    }
    const BucketChunks chunks(std::move(snapshot), ChunkValue::kChangesHeaderBytes + 200);
    if (!Send(chunks, catalogs_.at(bucket)) || !CleanUp(chunks, catalogs_.at(bucket))) Restart();
    if (random_() % 5 == 0) topic_.Compact();
  }

  /// The state at C, from the topic and replay.
  std::unique_ptr<TestEngine> Restore(int64_t committed) {
    AssemblerOptions options;
    options.topic = "bank.public.transactions";
    options.partition = 3;
    options.buckets = kBuckets;
    options.seed_fingerprint = agents::BucketImage::SeedFingerprint(rulesets_->hash_seed());
    options.layout = rulesets_->layout().id;
    options.committed = committed;
    AssembledState state = topic_.Read(options);
    EXPECT_EQ(state.counts.damaged + state.counts.damaged_images, 0U);
    auto engine = NewEngine();
    std::vector<int64_t> from(kBuckets);
    for (const AssembledSnapshot& snapshot : state.snapshots) {
      std::string image = snapshot.image;
      if (!snapshot.changes.empty()) {
        ++restored_changes_;
        image = agents::BucketImage::WithChanges(image, snapshot.changes).value_or("");
      }
      auto restored = BucketState::Parse(rulesets_, limits_, kBuckets, image);
      EXPECT_TRUE(restored.ok()) << agents::MessageOf(restored.status());
      EXPECT_TRUE(restored->report.exact);
      engine->bucket(snapshot.bucket) = std::move(restored->state);
      from[snapshot.bucket] = snapshot.id.offset;
      ++restored_buckets_;
    }
    engine->Evaluate(EventsFrom(from, committed), 0, random_);
    ReadCatalogs(std::move(state.catalogs));
    return engine;
  }

  std::unique_ptr<TestEngine> Replayed(int64_t committed) {
    auto engine = NewEngine();
    engine->Evaluate({log_.begin(), log_.begin() + committed}, 0, random_);
    return engine;
  }

  int64_t committed() const { return static_cast<int64_t>(log_.size()); }
  std::vector<agents::StateDigest> digests() const { return engine_->Digests(); }
  std::vector<agents::StateDigest> reference_digests() const { return reference_->Digests(); }
  int restarts() const { return restarts_; }
  int restored_buckets() const { return restored_buckets_; }
  int restored_changes() const { return restored_changes_; }

 private:
  std::unique_ptr<TestEngine> NewEngine() const {
    return std::make_unique<TestEngine>(rulesets_, limits_, kBuckets);
  }

  bool Dies() { return random_() % 25 == 0; }

  bool Send(const BucketChunks& chunks, SnapshotCatalog& catalog) {
    for (uint32_t i = 0; i < chunks.size(); ++i) {
      catalog.AddChunk(chunks.id(), i);
      if (Dies()) return false;
      topic_.Put(chunks.Record(i));
    }
    catalog.MarkComplete(chunks.id(), chunks.description().image_digest);
    return true;
  }

  bool CleanUp(const BucketChunks& chunks, SnapshotCatalog& catalog) {
    for (const std::string& key : catalog.SupersededKeys(chunks.id())) {
      if (Dies()) return false;
      topic_.Delete(key);
    }
    catalog.ForgetSuperseded(chunks.id());
    std::map<SnapshotId, size_t> left;
    for (const auto& [text, value] : topic_.Content()) {
      const ChunkKey key = ParseStateKey(text).chunk;
      if (key.place.bucket == chunks.place().bucket) ++left[key.snapshot];
    }
    // All that is left of the bucket: the snapshot, and its base.
    EXPECT_EQ(left[chunks.id()], chunks.size());
    EXPECT_EQ(left.size(), chunks.id().is_whole() ? 1U : 2U);
    EXPECT_TRUE(chunks.id().is_whole() || left.contains(chunks.id().BaseId()));
    return true;
  }

  void Restart() {
    ++restarts_;
    engine_ = Restore(committed());
    bases_.clear();
    bases_.resize(kBuckets, -1);
  }

  void ReadCatalogs(std::map<uint32_t, SnapshotCatalog> catalogs) {
    catalogs_ = std::move(catalogs);
    for (uint32_t b = 0; b < kBuckets; ++b) {
      catalogs_.try_emplace(b, BucketPlace{"bank.public.transactions", 3, b});
    }
  }

  /// The records of every bucket b from from[b] on.
  std::vector<TestEvent> EventsFrom(const std::vector<int64_t>& from, int64_t end) const {
    std::vector<TestEvent> events;
    for (int64_t offset = 0; offset < end; ++offset) {
      const TestEvent& event = log_[static_cast<size_t>(offset)];
      const agents::KeyHash hash = agents::HashKey(event.key, agents::kTestSeed);
      if (offset >= from[agents::BucketOf(hash, kBuckets)]) events.push_back(event);
    }
    return events;
  }

  std::mt19937 random_;
  const Rulesets rulesets_;
  const agents::BucketLimits limits_;
  std::vector<TestEvent> log_;
  std::unique_ptr<TestEngine> reference_;
  std::unique_ptr<TestEngine> engine_;
  StateTopic topic_;
  std::map<uint32_t, SnapshotCatalog> catalogs_;
  std::vector<int64_t> bases_ = std::vector<int64_t>(kBuckets, -1);  ///< -1 = the next is whole
  int restarts_ = 0;
  int restored_buckets_ = 0;
  int restored_changes_ = 0;
};

TEST(SnapshotStateTest, AnInstanceThatDiesAnywhereGoesOnWithTheSameState) {
  int restarts = 0;
  int restored_buckets = 0;
  int restored_changes = 0;
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Partition partition(seed, Rules());
    for (int step = 0; step < 40; ++step) {
      partition.Advance();
      partition.Publish();
      ASSERT_EQ(partition.digests(), partition.reference_digests()) << "step " << step;
    }
    restarts += partition.restarts();
    restored_buckets += partition.restored_buckets();
    restored_changes += partition.restored_changes();
  }
  EXPECT_GT(restarts, 60);
  EXPECT_GT(restored_buckets, 120);
  EXPECT_GT(restored_changes, 20);
}

TEST(SnapshotStateTest, AfterARewindWhatLiesBeyondIsNotTaken) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    Partition partition(seed, Rules());
    for (int step = 0; step < 20; ++step) {
      partition.Advance();
      partition.Publish();
    }
    for (int i = 0; i < 5; ++i) {
      const auto rewound =
          static_cast<int64_t>(random() % static_cast<uint32_t>(partition.committed() + 1));
      ASSERT_EQ(partition.Restore(rewound)->Digests(), partition.Replayed(rewound)->Digests());
    }
  }
}

}  // namespace
}  // namespace caracal::pipeline
