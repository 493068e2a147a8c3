// Copies of changes through the product's writer and restorer: what is written in which order, what
// is deleted when, and what a restore takes.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/ruleset/bucket_state.h"
#include "pipeline/snapshot/bucket_chunks.h"
#include "pipeline/snapshot/snapshot_writer.h"
#include "pipeline/snapshot/state_restorer.h"
#include "pipeline/types/offset_metadata.h"
#include "tests/support/log_capture.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"
#include "tests/unit/pipeline_snapshot/state_topic.h"

namespace caracal::pipeline {
namespace {

using Texts = std::vector<std::string>;

/// A state topic's partition that stops taking records when it is told to.
class TopicLog : public StateLog {
 public:
  bool WriteAll(const PartitionLease&, std::vector<StateWrite>& writes) override {
    for (StateWrite& write : writes) {
      if (writes_left == 0) return false;
      --writes_left;
      if (write.value.has_value()) {
        topic.Put({write.key, *write.value});
      } else {
        topic.Delete(write.key);
      }
      write.acknowledged = true;
    }
    return true;
  }

  StateTopic topic;
  size_t writes_left = 1'000'000;
};

/// What the group has committed.
class GroupOffset : public OffsetStore {
 public:
  OffsetCommitResult Commit(std::span<const OffsetCommit>) override { return {}; }
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                         absl::Duration) override {
    return std::vector<CommittedOffset>(leases.size(), committed);
  }

  CommittedOffset committed;
};

StateTopics Topics() {
  RulesManifest manifest;
  manifest.topic = "bank.public.transactions";
  manifest.buckets = kTestBuckets;
  manifest.seed_fingerprint = kTestFingerprint;
  manifest.states = {{{1, 2}, "card-risk/x"}};
  StateTopics topics;
  topics.topics = {"state"};
  topics.buckets = kTestBuckets;
  topics.seed_fingerprint = kTestFingerprint;
  topics.layouts = {kTestLayout};
  topics.rules = {*MakeRulesRecord(std::move(manifest), {})};
  return topics;
}

class SnapshotChangesTest : public ::testing::Test {
 protected:
  /// "published" or "given up".
  std::string Publish(int64_t offset, int64_t base, std::string image) {
    BucketCopy copy = {lease_, 0, offset, std::move(image), base};
    const auto published = writer_.Publish(copy);
    if (!published.has_value()) return "given up";
    static_cast<void>(writer_.DeleteReplaced(*published));
    return "published";
  }

  /// What the topic holds, as "base>offset" and "offset" of whole ones, with the number of chunks.
  std::map<std::string, int> Content() const {
    std::map<std::string, int> content;
    for (const auto& [text, value] : log_.topic.Content()) {
      const SnapshotId id = ParseStateKey(text).chunk.snapshot;
      ++content[(id.is_whole() ? "" : std::to_string(id.base) + ">") + std::to_string(id.offset)];
    }
    return content;
  }

  /// What a restore at C takes: "offset: image + changes"; "nothing".
  std::string Restored(int64_t committed, bool assumed = false) {
    offsets_.committed = {committed, assumed ? "set by hand" : ""};
    const absl::StatusOr<LoadedState> state = Restore(committed, assumed);
    EXPECT_TRUE(state.ok()) << state.status();
    if (!state.ok() || state->buckets->empty()) return "nothing";
    return std::to_string(state->buckets->at(0).offset) + ": " + read_.back();
  }

  /// By a member that has read that C is committed.
  absl::StatusOr<LoadedState> Restore(int64_t committed, bool assumed = false) {
    read_.clear();
    StateRestorer restorer(
        topics_, [this](const ImageRequest& request) { return Read(request); }, catalogs_, log_,
        probe_);
    RestoreRequest request = {lease_, committed, {{0, topics_.rules[0].hash}}, assumed};
    StateReading reading = restorer.Begin(request);
    for (const StateTopic::Entry& entry : log_.topic.log()) {
      reading.Add(entry.key,
                  entry.value.has_value() ? std::string_view(*entry.value) : std::string_view());
    }
    return restorer.Finish(std::move(reading), offsets_);
  }

  absl::StatusOr<std::shared_ptr<agents::BucketState>> Read(const ImageRequest& request) {
    read_.push_back(std::string(request.image) +
                    (request.changes.empty() ? "" : " + " + std::string(request.changes)));
    if (std::find(refused_.begin(), refused_.end(), read_.back()) != refused_.end()) {
      return absl::DataLossError("refused");
    }
    // Nothing looks into it.
    return std::make_shared<agents::BucketState>(
        agents::CompileForTest({agents::Ruleset("x", 0, {agents::CountRule("a", 1, 1)})}),
        agents::BucketLimits());
  }

  StateTopics topics_ = Topics();
  const LeasePtr lease_ =
      std::make_shared<PartitionLease>(1, uint16_t{0}, "bank.public.transactions", 3, 0);
  TopicLog log_;
  GroupOffset offsets_;
  SnapshotCatalogs catalogs_;
  SnapshotWriter writer_{topics_, catalogs_, log_, ChunkValue::kChangesHeaderBytes + 4};
  RestoreProbe probe_;
  Texts read_;
  Texts refused_;
};

TEST_F(SnapshotChangesTest, ChangesReplaceChangesAndAWholeCopyReplacesThemAll) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  EXPECT_EQ(Publish(200, 100, "first"), "published");
  EXPECT_EQ(Restored(1000), "200: base + first");
  EXPECT_EQ(Publish(300, 100, "second"), "published");
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"100", 1}, {"100>300", 2}}));
  EXPECT_EQ(Restored(1000), "300: base + second");
  EXPECT_EQ(Publish(400, -1, "whole"), "published");
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"400", 1}}));
  EXPECT_EQ(Restored(1000), "400: whole");
  EXPECT_EQ(probe_.buckets_restored.value(), 3U);
  EXPECT_EQ(probe_.changes_restored.value(), 2U);
}

TEST_F(SnapshotChangesTest, NothingIsBuiltOnAWholeCopyThatNeverBecameComplete) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  log_.writes_left = 1;
  EXPECT_EQ(Publish(200, -1, "a whole copy in chunks"), "given up");
  log_.writes_left = 1000;
  EXPECT_EQ(Publish(300, 200, "changes"), "given up");
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"100", 1}, {"200", 1}}));
  EXPECT_EQ(Restored(1000), "100: base");
  EXPECT_EQ(Publish(400, -1, "next"), "published");
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"400", 1}}));
}

TEST_F(SnapshotChangesTest, ChangesThatStayInPiecesAreDeletedByTheNextCopy) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  EXPECT_EQ(Publish(200, 100, "first"), "published");
  log_.writes_left = 2;
  EXPECT_EQ(Publish(300, 100, "changes in chunks"), "given up");
  EXPECT_EQ(Restored(1000), "200: base + first");
  log_.writes_left = 1000;
  EXPECT_EQ(Publish(400, 100, "last"), "published");
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"100", 1}, {"100>400", 1}}));
}

TEST_F(SnapshotChangesTest, TombstonesThatFailedAreSentAgainByTheNextCopy) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  EXPECT_EQ(Publish(200, 100, "one"), "published");
  log_.writes_left = 1;
  EXPECT_EQ(Publish(300, 100, "two"), "published");
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"100", 1}, {"100>200", 1}, {"100>300", 1}}));
  EXPECT_EQ(Restored(1000), "300: base + two");
  log_.writes_left = 1000;
  EXPECT_EQ(Restored(250), "200: base + one") << "and what is beyond was deleted";
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"100", 1}, {"100>200", 1}}));
}

TEST_F(SnapshotChangesTest, RefusedChangesLeaveTheWholeCopy) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  EXPECT_EQ(Publish(200, 100, "one"), "published");
  refused_ = {"base + one"};
  EXPECT_EQ(Restored(1000), "100: base");
  EXPECT_EQ(read_, (Texts{"base + one", "base"}));
  EXPECT_EQ(probe_.buckets_refused.value(), 1U);
  EXPECT_EQ(probe_.changes_restored.value(), 0U);
  refused_ = {"base + one", "base"};
  EXPECT_EQ(Restored(1000), "nothing");
}

TEST_F(SnapshotChangesTest, AGroupThatIsSetBackTakesWhatIsNotBeyond) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  EXPECT_EQ(Publish(200, 100, "one"), "published");
  EXPECT_EQ(Restored(199), "100: base");
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"100", 1}}));
  EXPECT_EQ(Restored(99), "nothing");
  EXPECT_TRUE(Content().empty());
}

TEST_F(SnapshotChangesTest, AMemberThatStoodStillDeletesNoCopiesOfItsSuccessor) {
  EXPECT_EQ(Publish(450, -1, "of the next owner"), "published");
  offsets_.committed = {500, ""};
  EXPECT_TRUE(absl::IsUnavailable(Restore(100).status())) << "it has read 100, and stood still";
  EXPECT_EQ(Content(), (std::map<std::string, int>{{"450", 1}}));
  EXPECT_EQ(probe_.buckets_discarded.value(), 0U);
  EXPECT_EQ(Restored(500), "450: of the next owner");
}

// Found by the simulation: such a member ended, and said that the group's offsets were deleted.
TEST_F(SnapshotChangesTest, APartitionThatWasFreshWhenAMemberStoodStillIsNotMissingItsOffset) {
  EXPECT_EQ(Publish(450, -1, "of the next owner"), "published");
  offsets_.committed = {500, ""};
  EXPECT_TRUE(absl::IsUnavailable(Restore(-1).status()));
  offsets_.committed = {-1, ""};
  const absl::StatusOr<LoadedState> deleted = Restore(-1);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->newest, 450) << "which tells that its offset was deleted";
}

TEST_F(SnapshotChangesTest, ARewindThatAnotherMemberHasTakenOverIsItsOwn) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  RulesManifest other = topics_.rules[0].manifest;
  other.states.clear();
  for (const std::string& text : {topics_.rules[0].text, FormatRulesManifest(other)}) {
    log_.topic.Put({FormatRulesKey(RulesHash(text)), text});
  }
  offsets_.committed = {1000, FormatOffsetMetadata({0, 1000, "9c1e4d20a7b3"})};
  EXPECT_TRUE(absl::IsUnavailable(Restore(1000, /*assumed=*/true).status()));
  EXPECT_TRUE(Content().contains("100"));
}

TEST_F(SnapshotChangesTest, CopiesThatRestOnActivationsNobodyKnowsAreDeleted) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  log_.topic.Put({FormatRulesKey(topics_.rules[0].hash), topics_.rules[0].text});
  EXPECT_EQ(Restored(1000, /*assumed=*/true), "100: base") << "rules have never changed";
  RulesManifest other = topics_.rules[0].manifest;
  other.states.clear();
  const std::string text = FormatRulesManifest(other);
  log_.topic.Put({FormatRulesKey(RulesHash(text)), text});
  EXPECT_EQ(Restored(1000), "100: base") << "the activations are recorded";
  EXPECT_EQ(Restored(1000, /*assumed=*/true), "nothing");
  EXPECT_FALSE(Content().contains("100"));
  EXPECT_EQ(Restored(1000), "nothing") << "nor is it taken once they are recorded again";
}

TEST_F(SnapshotChangesTest, WhatCannotBeUsedIsCountedByReasonAndTold) {
  EXPECT_EQ(Publish(100, -1, "base"), "published");
  EXPECT_EQ(Publish(200, 100, "one"), "published");
  log_.topic.log().back().value->back() ^= 1;
  const BucketChunks other({.place = {"bank.public.transactions", 3, 1},
                            .id = {150, kTestLayout},
                            .buckets = kTestBuckets,
                            .seed_fingerprint = kTestFingerprint + 1,
                            .image = "x"});
  log_.topic.Put(other);
  log_.topic.Put({"bucket/9/and so on", "x"});
  LogCapture log;
  EXPECT_EQ(Restored(1000), "100: base");
  const PassedOverProbe& passed_over = probe_.passed_over;
  EXPECT_EQ(passed_over.damaged.value(), 1U);
  EXPECT_EQ(passed_over.other_scheme.value(), 1U);
  EXPECT_EQ(passed_over.newer_format.value(), 1U);
  EXPECT_EQ(passed_over.no_room.value(), 0U);
  EXPECT_EQ(log.Count("cannot be used"), 1U);
}

TEST_F(SnapshotChangesTest, WhatARestoreMayHoldFollowsTheBudget) {
  constexpr size_t kSlack = size_t{64} << 20;
  topics_.max_bytes_per_partition = 100;
  log_.topic.Put(BucketChunks(TestSnapshot(1, 100, std::string(kSlack + 201, 'x'))));
  EXPECT_EQ(Restored(1000), "nothing");
  EXPECT_GT(probe_.passed_over.no_room.value(), 0U);
  EXPECT_EQ(probe_.passed_over.missed.value(), 1U);
  topics_.max_bytes_per_partition = 101;
  EXPECT_NE(Restored(1000), "nothing");
}

}  // namespace
}  // namespace caracal::pipeline
