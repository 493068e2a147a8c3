#include "pipeline/kafka/log_limits.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {
namespace {

// A topic that was just made is not known to every broker at once.
constexpr absl::Duration kUnknownPause = absl::Milliseconds(50);

/// Refreshes what the client knows of the topic; it must have more than `partition` partitions.
absl::Status LookOnce(rd_kafka_t* client, const std::string& topic, int32_t partition,
                      int timeout_ms, std::string_view context) {
  const KafkaTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  CHECK(handle != nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  RETURN_IF_ERROR(KafkaStatus(
      rd_kafka_metadata(client, /*all_topics=*/0, handle.get(), &metadata, timeout_ms), context));
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  absl::Status status = KafkaStatus(found.err, context);
  const bool has = partition < found.partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  if (!absl::IsNotFound(status) && (!status.ok() || has)) return status;
  return absl::NotFoundError(fmt::format("{}: topic '{}' does not exist or has no partition {}",
                                         context, topic, partition));
}

/// Goes on looking for a topic that is not there until `timeout_ms` are over.
absl::Status Look(rd_kafka_t* client, const std::string& topic, int32_t partition, int timeout_ms,
                  std::string_view context) {
  const absl::Time deadline = absl::Now() + absl::Milliseconds(timeout_ms);
  while (true) {
    absl::Status status = LookOnce(client, topic, partition, timeout_ms, context);
    if (!absl::IsNotFound(status) || absl::Now() >= deadline) return status;
    absl::SleepFor(kUnknownPause);
  }
}

// A broker that has just become the leader does not know the partition yet: that passes.
absl::Status LeaderStatus(rd_kafka_resp_err_t error, std::string_view context) {
  absl::Status status = KafkaStatus(error, context);
  return absl::IsNotFound(status) ? absl::UnavailableError(agents::MessageOf(status)) : status;
}

/// kind: what the protocol has in the place of a time.
absl::StatusOr<std::vector<int64_t>> ListOffsets(rd_kafka_t* client,
                                                 const rd_kafka_topic_partition_list_t* partitions,
                                                 int64_t kind, int timeout_ms,
                                                 std::string_view context) {
  const KafkaPartitionList list(rd_kafka_topic_partition_list_copy(partitions));
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = kind;
  RETURN_IF_ERROR(
      LeaderStatus(rd_kafka_offsets_for_times(client, list.get(), timeout_ms), context));
  std::vector<int64_t> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    RETURN_IF_ERROR(LeaderStatus(list->elems[i].err, context));
    offsets.push_back(list->elems[i].offset);
  }
  return offsets;
}

}  // namespace

absl::StatusOr<std::vector<LogLimits>> ReadLogLimits(
    rd_kafka_t* client, const rd_kafka_topic_partition_list_t* partitions, int timeout_ms,
    std::string_view context) {
  std::map<std::string, int32_t> topics;  // the greatest partition of each
  for (int i = 0; i < partitions->cnt; ++i) {
    int32_t& greatest = topics[partitions->elems[i].topic];
    greatest = std::max(greatest, partitions->elems[i].partition);
  }
  for (const auto& [topic, greatest] : topics) {
    RETURN_IF_ERROR(Look(client, topic, greatest, timeout_ms, context));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> low,
                   ListOffsets(client, partitions, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, context));
  ASSIGN_OR_RETURN(const std::vector<int64_t> high,
                   ListOffsets(client, partitions, RD_KAFKA_OFFSET_END, timeout_ms, context));
  std::vector<LogLimits> limits;
  for (size_t i = 0; i < low.size(); ++i) limits.push_back({low[i], high[i]});
  return limits;
}

}  // namespace caracal::pipeline
