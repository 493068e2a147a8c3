#include "pipeline/source/partition_pause.h"

#include <string_view>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

// librdkafka pauses a partition once per rebalance, and once more when the assignment is lost
// before its callback was served. Each pause can overtake one call, as each call waits for its end.
constexpr int kCalls = 3;

using PauseOrResume = rd_kafka_resp_err_t (*)(rd_kafka_t*, rd_kafka_topic_partition_list_t*);

absl::Status Repeat(PauseOrResume call, std::string_view deed, rd_kafka_t* client,
                    rd_kafka_topic_partition_list_t* partitions) {
  for (int i = 0; i < kCalls; ++i) {
    RETURN_IF_ERROR(KafkaStatus(call(client, partitions), deed));
  }
  for (int i = 0; i < partitions->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = partitions->elems[i];
    RETURN_IF_ERROR(
        KafkaStatus(entry.err, fmt::format("{} {} [{}]", deed, entry.topic, entry.partition)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PausePartitions(rd_kafka_t* client, rd_kafka_topic_partition_list_t* partitions) {
  return Repeat(&rd_kafka_pause_partitions, "pausing", client, partitions);
}

absl::Status ResumePartitions(rd_kafka_t* client, rd_kafka_topic_partition_list_t* partitions) {
  return Repeat(&rd_kafka_resume_partitions, "resuming", client, partitions);
}

}  // namespace caracal::pipeline
