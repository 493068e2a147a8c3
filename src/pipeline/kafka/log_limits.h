#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace caracal::pipeline {

/// Where the log of a partition begins and ends: of its first record, and of the next one to be
/// written.
struct LogLimits {
  int64_t low = 0;
  int64_t high = 0;
};

/// Asks the leaders of the partitions, in the order of the list. Looks first who leads, because
/// librdkafka 2.0.2 may go on asking a broker that has died; and keeps to its time, which
/// rd_kafka_query_watermark_offsets does not: with that, a leader that has just died costs a minute
/// (socket.timeout.ms). What does not exist is looked for until the time is over: a topic that was
/// just made is not known to every broker at once. Any thread.
///
/// Waits up to `timeout_ms` per topic and twice more. "<context>: ..." NotFound: no such topic or
/// partition; Unavailable: no answer, or the leader does not know the partition yet.
absl::StatusOr<std::vector<LogLimits>> ReadLogLimits(
    rd_kafka_t* client, const rd_kafka_topic_partition_list_t* partitions, int timeout_ms,
    std::string_view context);

}  // namespace caracal::pipeline
