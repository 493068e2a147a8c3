#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// Reads assigned partitions from their offsets on, all in one round trip to the client's threads.
/// librdkafka pauses and resumes partitions around a rebalance on a thread of its own; a seek that
/// one of these overtakes has no effect and is called outdated: it is made again. Waits up to five
/// seconds for the client; any thread.
///
/// Fails with what the client says of the first: unknown partition, not fetched, timed out.
absl::Status SeekPartitions(rd_kafka_t* client, KafkaPartitionList partitions);
absl::Status SeekPartition(rd_kafka_t* client, const std::string& topic, int32_t partition,
                           int64_t offset);

}  // namespace caracal::pipeline
