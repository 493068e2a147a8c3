#pragma once

#include <librdkafka/rdkafka.h>

#include "absl/status/status.h"

namespace caracal::pipeline {

/// Stop and start reading assigned partitions. librdkafka 2.0.2 pauses every partition at the start
/// of a rebalance, on a thread of its own. Each of these calls takes a version before it is queued:
/// one that takes its version before librdkafka's own pause and is queued after it is outdated and
/// dropped, and the caller is told of success. A partition that was not resumed would stand still
/// for good, one that was not paused would be read on. So each is made as often as one can take
/// effect at least; again is harmless: what was fetched in between is fetched once more.
///
/// Threads: the one that serves the group, as no rebalance goes on meanwhile. Waits for the client.
/// Fail with what the client says of the first partition it refuses: unknown.
absl::Status PausePartitions(rd_kafka_t* client, rd_kafka_topic_partition_list_t* partitions);
absl::Status ResumePartitions(rd_kafka_t* client, rd_kafka_topic_partition_list_t* partitions);

}  // namespace caracal::pipeline
