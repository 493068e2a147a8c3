#include "pipeline/source/group_offsets.h"

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr int kPollMs = 50;
// While the group is being left, a commit gives up after this.
constexpr int kAwaitTimeoutMs = 1000;

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

OffsetCommitResult ResultOf(rd_kafka_resp_err_t error) {
  const absl::Status status = KafkaStatus(error, "committing offsets");
  return {Classify(error), agents::MessageOf(status), status.code()};
}

// The error of the request, else the first of a partition.
rd_kafka_resp_err_t ErrorOf(rd_kafka_event_t* answer) {
  rd_kafka_resp_err_t error = rd_kafka_event_error(answer);
  const rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(answer);
  for (int i = 0; list != nullptr && i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    error = list->elems[i].err;
  }
  return error;
}

}  // namespace

OffsetCommitResult GroupOffsets::Commit(std::span<const OffsetCommit> offsets) {
  if (offsets.empty()) return {};
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const OffsetCommit& commit : offsets) {
    AddOffset(list.get(), commit.topic, commit.partition, commit.offset, commit.metadata);
  }
  const KafkaQueue answers(rd_kafka_queue_new(client_));
  if (auto refused = Send(list.get(), answers.get()); refused.has_value()) return *refused;
  // The client holds a commit back for up to a session while there is no coordinator.
  while (!closing_.load(std::memory_order_acquire)) {
    const KafkaEvent answer(rd_kafka_queue_poll(answers.get(), kPollMs));
    if (answer != nullptr) return ResultOf(ErrorOf(answer.get()));
  }
  return {OffsetCommitOutcome::kRebalancing, "the group is being left"};
}

std::optional<OffsetCommitResult> GroupOffsets::Send(const rd_kafka_topic_partition_list_t* offsets,
                                                     rd_kafka_queue_t* answers) {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  const auto send = [&] {
    error = rd_kafka_commit_queue(client_, offsets, answers, nullptr, nullptr);
  };
  bool sent = HitFailpoint(Failpoint::kOffsetsHold);
  if (sent) send();
  while (!sent) {
    const uint64_t heartbeats = joins_.heartbeats();
    const auto outcome = rebalancing() ? JoinWatch::Sent::kJoining : joins_.TrySend(send);
    if (outcome == JoinWatch::Sent::kJoining) {
      return OffsetCommitResult{OffsetCommitOutcome::kRebalancing, "the group is rebalancing"};
    }
    sent = outcome == JoinWatch::Sent::kYes;
    if (sent) break;
    error = AwaitCoordinator(offsets->elems[0]);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ResultOf(error);
    joins_.Clear(heartbeats);
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ResultOf(error);
  return std::nullopt;
}

rd_kafka_resp_err_t GroupOffsets::AwaitCoordinator(const rd_kafka_topic_partition_t& any) {
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), any.topic, any.partition);
  const rd_kafka_resp_err_t error = rd_kafka_committed(client_, list.get(), kAwaitTimeoutMs);
  // What the coordinator refuses, it has answered.
  return error > RD_KAFKA_RESP_ERR_NO_ERROR ? RD_KAFKA_RESP_ERR_NO_ERROR : error;
}

absl::StatusOr<std::vector<CommittedOffset>> GroupOffsets::Committed(
    std::span<const LeasePtr> leases, absl::Duration max_wait) {
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(leases.size())));
  for (const LeasePtr& lease : leases) {
    rd_kafka_topic_partition_list_add(list.get(), lease->topic().c_str(), lease->partition());
  }
  constexpr std::string_view kContext = "reading the group's committed offsets";
  // The client reads committed records only, so it asks for stable offsets.
  const rd_kafka_resp_err_t error = rd_kafka_committed(
      client_, list.get(), static_cast<int>(absl::ToInt64Milliseconds(max_wait)));
  if (error == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    return absl::UnavailableError(
        fmt::format("{}: no answer that is stable. If it stays so, a transaction on the group's "
                    "offsets hangs: find it with `kafka-transactions find-hanging`, end it with "
                    "`kafka-transactions abort`",
                    kContext));
  }
  RETURN_IF_ERROR(KafkaStatus(error, kContext));
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
