#include "pipeline/source/group_offsets.h"

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

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
    rd_kafka_topic_partition_t* entry =
        rd_kafka_topic_partition_list_add(list.get(), commit.topic.c_str(), commit.partition);
    entry->offset = commit.offset;
    // The list frees its metadata with free().
    entry->metadata = std::malloc(commit.metadata.size());
    std::memcpy(entry->metadata, commit.metadata.data(), commit.metadata.size());
    entry->metadata_size = commit.metadata.size();
  }
  rd_kafka_resp_err_t error = rd_kafka_commit(client_, list.get(), /*async=*/0);
  for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    error = list->elems[i].err;
  }
  return {Classify(error), agents::MessageOf(KafkaStatus(error, "committing offsets"))};
}

}  // namespace caracal::pipeline
