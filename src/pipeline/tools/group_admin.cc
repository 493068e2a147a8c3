#include "pipeline/tools/group_admin.h"

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/group_members.h"
#include "pipeline/kafka/log_limits.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 10'000;

}  // namespace

absl::StatusOr<std::unique_ptr<GroupAdmin>> GroupAdmin::Create(const KafkaConnection& connection,
                                                               const std::string& group) {
  const KafkaProperties owned = {{"group.id", group},
                                 {"enable.auto.commit", "false"},
                                 {"enable.auto.offset.store", "false"},
                                 {"isolation.level", "read_committed"},
                                 {"allow.auto.create.topics", "false"}};
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(connection, {}, owned));
  ASSIGN_OR_RETURN(KafkaClient client, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
  return std::unique_ptr<GroupAdmin>(new GroupAdmin(std::move(client), group));
}

absl::StatusOr<int32_t> GroupAdmin::PartitionCount(const std::string& topic) {
  const KafkaTopic handle(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  const std::string context = fmt::format("looking at topic '{}'", topic);
  RETURN_IF_ERROR(KafkaStatus(
      rd_kafka_metadata(client_.get(), /*all_topics=*/0, handle.get(), &metadata, kTimeoutMs),
      context));
  const rd_kafka_resp_err_t error = metadata->topics[0].err;
  const int32_t partitions = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  RETURN_IF_ERROR(KafkaStatus(error, context));
  return partitions;
}

absl::StatusOr<std::vector<GroupPosition>> GroupAdmin::Positions(const std::string& topic) {
  ASSIGN_OR_RETURN(const int32_t partitions, PartitionCount(topic));
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(partitions));
  for (int32_t p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p);
  }
  const std::string context = fmt::format("reading the offsets of group '{}'", group_);
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_committed(client_.get(), list.get(), kTimeoutMs), context));
  ASSIGN_OR_RETURN(const std::vector<LogLimits> limits,
                   ReadLogLimits(client_.get(), list.get(), kTimeoutMs,
                                 fmt::format("reading the log start and end of {}", topic)));
  std::vector<GroupPosition> positions(static_cast<size_t>(partitions));
  for (int32_t p = 0; p < partitions; ++p) {
    const rd_kafka_topic_partition_t& entry = list->elems[p];
    RETURN_IF_ERROR(KafkaStatus(entry.err, context));
    GroupPosition& position = positions[static_cast<size_t>(p)];
    if (entry.offset >= 0) position.committed = entry.offset;
    if (entry.metadata != nullptr) {
      position.metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
    }
    position.log_start = limits[static_cast<size_t>(p)].low;
    position.log_end = limits[static_cast<size_t>(p)].high;
  }
  return positions;
}

absl::StatusOr<int64_t> GroupAdmin::OffsetForTime(const std::string& topic, int32_t partition,
                                                  int64_t time_ms) {
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = time_ms;
  const std::string context = fmt::format("looking up a time in {} [{}]", topic, partition);
  RETURN_IF_ERROR(
      KafkaStatus(rd_kafka_offsets_for_times(client_.get(), list.get(), kTimeoutMs), context));
  RETURN_IF_ERROR(KafkaStatus(list->elems[0].err, context));
  return list->elems[0].offset < 0 ? -1 : list->elems[0].offset;
}

absl::StatusOr<size_t> GroupAdmin::MemberCount() {
  ASSIGN_OR_RETURN(const std::vector<std::string> members, GroupMembers(client_.get(), group_));
  return members.size();
}

absl::Status GroupAdmin::Commit(const std::vector<OffsetCommit>& commits) {
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(commits.size())));
  for (const OffsetCommit& commit : commits) {
    AddOffset(list.get(), commit.topic, commit.partition, commit.offset, commit.metadata);
  }
  rd_kafka_resp_err_t error = rd_kafka_commit(client_.get(), list.get(), /*async=*/0);
  for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    error = list->elems[i].err;
  }
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
      error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
      error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS) {
    return absl::FailedPreconditionError(
        fmt::format("group '{}' has members: stop them first. Nothing was set", group_));
  }
  return KafkaStatus(error, fmt::format("setting the offsets of group '{}'", group_));
}

}  // namespace caracal::pipeline
