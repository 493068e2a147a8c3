#include "pipeline/source/partition_seek.h"

#include <utility>

#include <fmt/format.h>

#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 5000;
// A rebalance pauses and resumes a partition once: more than enough, and an end.
constexpr int kAttempts = 100;

}  // namespace

absl::Status SeekPartitions(rd_kafka_t* client, KafkaPartitionList partitions) {
  absl::Status outdated;
  for (int i = 0; i < kAttempts && partitions->cnt > 0; ++i) {
    const KafkaError failed(rd_kafka_seek_partitions(client, partitions.get(), kTimeoutMs));
    if (failed != nullptr) {
      return KafkaStatus(rd_kafka_error_code(failed.get()), rd_kafka_error_string(failed.get()));
    }
    KafkaPartitionList again(rd_kafka_topic_partition_list_new(partitions->cnt));
    for (int k = 0; k < partitions->cnt; ++k) {
      const rd_kafka_topic_partition_t& entry = partitions->elems[k];
      absl::Status status = KafkaStatus(entry.err, fmt::format("seeking {} [{}] to {}", entry.topic,
                                                               entry.partition, entry.offset));
      if (status.ok()) continue;
      if (entry.err != RD_KAFKA_RESP_ERR__OUTDATED) return status;
      outdated = std::move(status);
      rd_kafka_topic_partition_list_add(again.get(), entry.topic, entry.partition)->offset =
          entry.offset;
    }
    partitions = std::move(again);
  }
  return partitions->cnt == 0 ? absl::OkStatus() : outdated;
}

absl::Status SeekPartition(rd_kafka_t* client, const std::string& topic, int32_t partition,
                           int64_t offset) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  return SeekPartitions(client, std::move(list));
}

}  // namespace caracal::pipeline
