#include "pipeline/source/group_offsets.h"

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr int kRpcTimeoutMs = 5000;

OffsetCommitOutcome Classify(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return OffsetCommitOutcome::kCommitted;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__STATE:
      return OffsetCommitOutcome::kRebalancing;
    default:
      return IsTransient(error) ? OffsetCommitOutcome::kTransient : OffsetCommitOutcome::kFatal;
  }
}

}  // namespace

OffsetCommitResult GroupOffsets::Commit(std::span<const OffsetCommit> offsets) {
  if (offsets.empty()) return {};
  if (rebalancing()) return {OffsetCommitOutcome::kRebalancing, "the group is rebalancing"};
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const OffsetCommit& commit : offsets) {
    AddOffset(list.get(), commit.topic, commit.partition, commit.offset, commit.metadata);
  }
  rd_kafka_resp_err_t error = rd_kafka_commit(client_, list.get(), /*async=*/0);
  for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    error = list->elems[i].err;
  }
  return {Classify(error), agents::MessageOf(KafkaStatus(error, "committing offsets"))};
}

absl::StatusOr<std::vector<CommittedOffset>> GroupOffsets::Committed(
    std::span<const LeasePtr> leases) {
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(leases.size())));
  for (const LeasePtr& lease : leases) {
    rd_kafka_topic_partition_list_add(list.get(), lease->topic().c_str(), lease->partition());
  }
  constexpr std::string_view kContext = "reading the group's committed offsets";
  // The client reads committed records only, so it asks for stable offsets.
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_committed(client_, list.get(), kRpcTimeoutMs), kContext));
  std::vector<CommittedOffset> committed(leases.size());
  for (size_t i = 0; i < leases.size(); ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    RETURN_IF_ERROR(KafkaStatus(entry.err, kContext));
    if (entry.offset >= 0) committed[i].offset = entry.offset;
    if (entry.metadata != nullptr) {
      committed[i].metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
    }
  }
  return committed;
}

}  // namespace caracal::pipeline
