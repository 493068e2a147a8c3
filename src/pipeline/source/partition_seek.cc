#include "pipeline/source/partition_seek.h"

#include <utility>

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 5000;
constexpr absl::Duration kTimeout = absl::Milliseconds(kTimeoutMs);

}  // namespace

absl::Status SeekPartitions(rd_kafka_t* client, KafkaPartitionList partitions) {
  const absl::Time deadline = absl::Now() + kTimeout;
  absl::Status missing;
  while (partitions->cnt > 0) {
    if (absl::Now() >= deadline) return missing;
    const KafkaError failed(rd_kafka_seek_partitions(client, partitions.get(), kTimeoutMs));
    // librdkafka 2.0.2 takes the milliseconds for microseconds: what is in progress is made again.
    if (failed != nullptr && rd_kafka_error_code(failed.get()) != RD_KAFKA_RESP_ERR__TIMED_OUT) {
      return KafkaStatus(rd_kafka_error_code(failed.get()), rd_kafka_error_string(failed.get()));
    }
    KafkaPartitionList again(rd_kafka_topic_partition_list_new(partitions->cnt));
    for (int i = 0; i < partitions->cnt; ++i) {
      const rd_kafka_topic_partition_t& entry = partitions->elems[i];
      if (entry.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      missing = KafkaStatus(entry.err, fmt::format("seeking {} [{}] to {}", entry.topic,
                                                   entry.partition, entry.offset));
      if (entry.err != RD_KAFKA_RESP_ERR__OUTDATED && entry.err != RD_KAFKA_RESP_ERR__IN_PROGRESS) {
        return missing;
      }
      rd_kafka_topic_partition_list_add(again.get(), entry.topic, entry.partition)->offset =
          entry.offset;
    }
    partitions = std::move(again);
  }
  return absl::OkStatus();
}

absl::Status SeekPartition(rd_kafka_t* client, const std::string& topic, int32_t partition,
                           int64_t offset) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  return SeekPartitions(client, std::move(list));
}

}  // namespace caracal::pipeline
