#include "pipeline/source/partition_seek.h"

#include <fmt/format.h>

#include "agents/api/check.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 5000;
// A rebalance pauses and resumes a partition once: more than enough, and an end.
constexpr int kAttempts = 100;

}  // namespace

absl::Status SeekPartition(rd_kafka_t* client, const std::string& topic, int32_t partition,
                           int64_t offset) {
  const KafkaTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  CHECK(handle != nullptr);
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__OUTDATED;
  for (int i = 0; i < kAttempts && error == RD_KAFKA_RESP_ERR__OUTDATED; ++i) {
    error = rd_kafka_seek(handle.get(), partition, offset, kTimeoutMs);
  }
  return KafkaStatus(error, fmt::format("seeking {} [{}] to {}", topic, partition, offset));
}

}  // namespace caracal::pipeline
