#include "pipeline/source/group_offsets.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

constexpr int32_t kCoordinator = MockKafka::kGroupBroker;

class GroupOffsetsTest : public ::testing::Test {
 protected:
  GroupOffsetsTest() { kafka_.CreateTopic("t", 2); }

  OffsetCommitResult Commit(int64_t offset, int32_t partition = 0) {
    const OffsetCommit commit = {"t", partition, offset, "caracal/1 activation=0"};
    return offsets_.Commit({&commit, 1});
  }

  /// What the group has committed for partitions 0 and 1.
  absl::StatusOr<std::vector<CommittedOffset>> Committed() {
    const std::vector<LeasePtr> leases = {std::make_shared<PartitionLease>(1, 0, "t", 0, 0),
                                          std::make_shared<PartitionLease>(2, 0, "t", 1, 1)};
    return offsets_.Committed(leases, absl::Seconds(5));
  }

  MockKafka kafka_;
  JoinWatch joins_;
  KafkaClient client_ = PlainConsumer(kafka_);
  GroupOffsets offsets_{client_.get(), joins_};
};

TEST_F(GroupOffsetsTest, CommitsOffsetsWithTheirMetadata) {
  const std::vector<OffsetCommit> commits = {{"t", 0, 7, "seven"}, {"t", 1, 9, ""}};
  EXPECT_EQ(offsets_.Commit(commits).outcome, OffsetCommitOutcome::kCommitted);
  const std::vector<CommittedOffset> committed = kafka_.Committed(MockKafka::kGroup, "t", 2);
  ASSERT_EQ(committed.size(), 2U);
  EXPECT_EQ(committed[0].offset, 7);
  EXPECT_EQ(committed[0].metadata, "seven");
  EXPECT_EQ(committed[1].offset, 9);
  EXPECT_EQ(committed[1].metadata, "");
}

TEST_F(GroupOffsetsTest, NothingToCommitIsCommitted) {
  EXPECT_EQ(offsets_.Commit({}).outcome, OffsetCommitOutcome::kCommitted);
}

TEST_F(GroupOffsetsTest, TellsWhatMayPassFromWhatWillNot) {
  struct Case {
    rd_kafka_resp_err_t error;
    OffsetCommitOutcome outcome;
  };
  for (const auto& [error, outcome] : std::vector<Case>{
           {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, OffsetCommitOutcome::kRebalancing},
           {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, OffsetCommitOutcome::kRebalancing},
           {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, OffsetCommitOutcome::kRebalancing},
           {RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, OffsetCommitOutcome::kTransient},
           {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, OffsetCommitOutcome::kFatal},
           {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, OffsetCommitOutcome::kFatal}}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetCommit, {error});
    const OffsetCommitResult result = Commit(5);
    EXPECT_EQ(result.outcome, outcome);
    EXPECT_NE(result.message.find(rd_kafka_err2name(error)), std::string::npos) << result.message;
    EXPECT_EQ(kafka_.FaultsLeft(kCoordinator, KafkaRequest::kOffsetCommit), 0U);
  }
  EXPECT_EQ(kafka_.Committed(MockKafka::kGroup, "t", 1)[0].offset, -1);
  EXPECT_EQ(Commit(5).outcome, OffsetCommitOutcome::kCommitted);
}

TEST_F(GroupOffsetsTest, WhatTheClientRetriesItselfIsCommitted) {
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetCommit,
                  {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS});
  EXPECT_EQ(Commit(5).outcome, OffsetCommitOutcome::kCommitted);
  EXPECT_EQ(kafka_.FaultsLeft(kCoordinator, KafkaRequest::kOffsetCommit), 0U);
}

TEST_F(GroupOffsetsTest, SendsNothingWhilePartitionsAreGivenUp) {
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetCommit, {RD_KAFKA_RESP_ERR_NO_ERROR});
  offsets_.SetRevoking(true);
  EXPECT_TRUE(offsets_.rebalancing());
  EXPECT_EQ(Commit(5).outcome, OffsetCommitOutcome::kRebalancing);
  EXPECT_EQ(kafka_.FaultsLeft(kCoordinator, KafkaRequest::kOffsetCommit), 1U) << "it was sent";
  offsets_.SetRevoking(false);
  EXPECT_EQ(Commit(5).outcome, OffsetCommitOutcome::kCommitted);
}

// The answer to a heartbeat may have made the client join: see JoinWatch.
TEST_F(GroupOffsetsTest, AsksTheCoordinatorBeforeTheFirstCommitAfterAHeartbeat) {
  JoinWatch joins;
  const KafkaClient member = PlainConsumer(kafka_, &joins);
  GroupOffsets offsets(member.get(), joins);
  const KafkaPartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), "t", RD_KAFKA_PARTITION_UA);
  ASSERT_EQ(rd_kafka_subscribe(member.get(), topics.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (joins.heartbeats() == 0 && absl::Now() < deadline) {
    const KafkaMessage message(rd_kafka_consumer_poll(member.get(), 20));
  }
  joins.Settle();
  const OffsetCommit commit = {"t", 0, 5, ""};
  EXPECT_EQ(offsets.Commit({&commit, 1}).outcome, OffsetCommitOutcome::kCommitted);
  // No answer, no commit.
  const uint64_t heartbeats = joins.heartbeats();
  while (joins.heartbeats() == heartbeats && absl::Now() < deadline) {
    const KafkaMessage message(rd_kafka_consumer_poll(member.get(), 20));
  }
  kafka_.SetDown(kCoordinator);
  EXPECT_EQ(offsets.Commit({&commit, 1}).outcome, OffsetCommitOutcome::kTransient);
  kafka_.SetUp(kCoordinator);
}

TEST_F(GroupOffsetsTest, ReadsOffsetsAndMetadataInTheOrderAskedFor) {
  ASSERT_EQ(Commit(5, /*partition=*/1).outcome, OffsetCommitOutcome::kCommitted);
  const auto committed = Committed();
  ASSERT_TRUE(committed.ok()) << committed.status();
  ASSERT_EQ(committed->size(), 2U);
  EXPECT_EQ((*committed)[0].offset, -1) << "never committed";
  EXPECT_EQ((*committed)[0].metadata, "");
  EXPECT_EQ((*committed)[1].offset, 5);
  EXPECT_EQ((*committed)[1].metadata, "caracal/1 activation=0");
}

TEST_F(GroupOffsetsTest, AnErrorIsNeverReadAsAnOffset) {
  ASSERT_EQ(Commit(5).outcome, OffsetCommitOutcome::kCommitted);
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, RD_KAFKA_RESP_ERR__TRANSPORT}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetFetch, {error});
    const auto committed = Committed();
    EXPECT_EQ(kafka_.FaultsLeft(kCoordinator, KafkaRequest::kOffsetFetch), 0U);
    // The client tries again by itself, or says that it may pass.
    if (committed.ok()) {
      EXPECT_EQ((*committed)[0].offset, 5);
    } else {
      EXPECT_TRUE(absl::IsUnavailable(committed.status())) << committed.status();
    }
  }
  kafka_.FailNext(kCoordinator, KafkaRequest::kOffsetFetch,
                  {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED});
  EXPECT_TRUE(absl::IsPermissionDenied(Committed().status()));
}

TEST_F(GroupOffsetsTest, CloseEndsACommitThatWaitsForTheCoordinator) {
  kafka_.SetDown(kCoordinator);
  OffsetCommitResult result;
  std::thread committing([&] { result = Commit(5); });
  offsets_.Close();
  committing.join();
  EXPECT_EQ(result.outcome, OffsetCommitOutcome::kRebalancing);
  kafka_.SetUp(kCoordinator);
  // The client would hold the commit back for a session and wait for it when it is destroyed.
  static_cast<void>(client_.release());
}

}  // namespace
}  // namespace caracal::pipeline
