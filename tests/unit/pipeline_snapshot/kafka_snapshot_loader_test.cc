// State is read back from a topic of the mock cluster.

#include "pipeline/snapshot/kafka_snapshot_loader.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "agents/api/check.h"
#include "agents/ruleset/bucket_state.h"
#include "pipeline/snapshot/bucket_chunks.h"
#include "tests/support/mock_kafka.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"
#include "tests/unit/pipeline_snapshot/state_topic.h"

namespace caracal::pipeline {
namespace {

constexpr const char* kSource = "bank.public.transactions";
constexpr const char* kState = "caracal.state";
constexpr int32_t kPartitions = 3;
constexpr int32_t kLeader = MockKafka::kOutputBroker;
constexpr size_t kImageBytes = 100'000;

/// Nothing is deleted here, so that nobody asks.
class NoOffsets : public OffsetStore {
 public:
  OffsetCommitResult Commit(std::span<const OffsetCommit>) override { return {}; }
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr>,
                                                         absl::Duration) override {
    return absl::InternalError("asked");
  }
};

class KafkaSnapshotLoaderTest : public ::testing::Test {
 protected:
  KafkaSnapshotLoaderTest() {
    kafka_.CreateTopic(kState, kPartitions, kLeader);
    RulesManifest manifest;
    manifest.topic = kSource;
    manifest.buckets = kTestBuckets;
    manifest.seed_fingerprint = kTestFingerprint;
    topics_.connection.bootstrap_servers = kafka_.bootstrap_servers();
    topics_.group_id = MockKafka::kGroup;
    topics_.topics = {kState};
    topics_.buckets = kTestBuckets;
    topics_.seed_fingerprint = kTestFingerprint;
    topics_.layouts = {kTestLayout};
    topics_.rules = {*MakeRulesRecord(std::move(manifest), {})};
  }

  void Save(int32_t partition, uint32_t bucket, int64_t offset) {
    BucketSnapshot snapshot = TestSnapshot(bucket, offset, std::string(kImageBytes, 'x'));
    snapshot.place = {kSource, partition, bucket};
    const BucketChunks chunks(std::move(snapshot));
    std::vector<TopicRecord> records;
    for (uint32_t i = 0; i < chunks.size(); ++i) {
      StateRecord record = chunks.Record(i);
      records.push_back(
          {.partition = partition, .key = std::move(record.key), .value = std::move(record.value)});
    }
    kafka_.Append(kState, records);
  }

  absl::StatusOr<std::vector<LoadedState>> Load() {
    auto loader = KafkaSnapshotLoader::Create(
        topics_,
        [this](const ImageRequest&) -> absl::StatusOr<std::shared_ptr<agents::BucketState>> {
          return bucket_;
        },
        catalogs_);
    CHECK(loader.ok());
    loader_ = *std::move(loader);
    std::vector<RestoreRequest> requests;
    leases_.clear();
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      const auto lease =
          std::make_shared<PartitionLease>(partition, uint16_t{0}, kSource, partition, partition);
      leases_.push_back(lease);
      requests.push_back({lease, 1000, {{0, topics_.rules[0].hash}}});
    }
    return loader_->Load(requests, offsets_);
  }

  MockKafka kafka_;
  StateTopics topics_;
  SnapshotCatalogs catalogs_;
  NoOffsets offsets_;
  std::vector<LeasePtr> leases_;
  /// Nothing looks into it.
  const std::shared_ptr<agents::BucketState> bucket_ = std::make_shared<agents::BucketState>(
      agents::CompileForTest({agents::Ruleset("x", 0, {agents::CountRule("a", 1, 1)})}),
      agents::BucketLimits());
  std::unique_ptr<KafkaSnapshotLoader> loader_;
};

TEST_F(KafkaSnapshotLoaderTest, PartitionsThatDoNotFitTogetherAreReadOneAfterTheOther) {
  for (uint32_t bucket = 0; bucket < 4; ++bucket) {
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      Save(partition, bucket, 100 + bucket);
    }
  }
  for (const size_t limit : {size_t{1} << 30, 4 * kImageBytes + 1}) {
    SCOPED_TRACE(testing::Message() << limit << " bytes");
    topics_.restore_bytes_max = limit;
    const auto states = Load();
    ASSERT_TRUE(states.ok()) << states.status();
    ASSERT_EQ(states->size(), static_cast<size_t>(kPartitions));
    for (const LoadedState& state : *states) {
      ASSERT_EQ(state.buckets->size(), 4U);
      EXPECT_EQ(state.buckets->at(3).offset, 103);
      EXPECT_EQ(state.newest, 103);
    }
    for (const LeasePtr& lease : leases_) {
      EXPECT_EQ(lease->restore_percent(), 100);
      EXPECT_EQ(lease->restore_eta_seconds(), 0);
    }
    const bool fits = limit > kPartitions * 4 * kImageBytes;
    EXPECT_EQ(loader_->probe().put_off.value() == 0, fits);
  }
}

TEST_F(KafkaSnapshotLoaderTest, BeginsAnewWhenNothingComes) {
  Save(1, 0, 100);
  topics_.silence_max = absl::Milliseconds(600);
  kafka_.FailNext(
      kLeader, KafkaRequest::kFetch,
      std::vector<rd_kafka_resp_err_t>(1000, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION));
  const auto states = Load();
  EXPECT_TRUE(absl::IsUnavailable(states.status())) << states.status();
  EXPECT_EQ(leases_[0]->restore_percent(), 100) << "there is nothing to be read";
  EXPECT_EQ(leases_[1]->restore_percent(), 0);
  EXPECT_EQ(leases_[1]->restore_eta_seconds(), -1) << "nothing tells how fast it would be";
}

}  // namespace
}  // namespace caracal::pipeline
