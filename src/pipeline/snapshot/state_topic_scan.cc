#include "pipeline/snapshot/state_topic_scan.h"

#include <map>

#include <fmt/format.h>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/kafka/fetch_waker.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/kafka/log_limits.h"

namespace caracal::pipeline {
namespace {

constexpr int kRpcTimeoutMs = 10'000;
constexpr int kPollMs = 200;
constexpr absl::Duration kSilenceMax = absl::Seconds(30);

absl::StatusOr<int32_t> PartitionsOf(rd_kafka_t* client, const std::string& topic) {
  const KafkaTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  const std::string context = fmt::format("looking at the state topic '{}'", topic);
  RETURN_IF_ERROR(KafkaStatus(
      rd_kafka_metadata(client, /*all_topics=*/0, handle.get(), &metadata, kRpcTimeoutMs),
      context));
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  const absl::Status status = KafkaStatus(found.err, context);
  const int32_t partitions = found.partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  RETURN_IF_ERROR(status);
  return partitions;
}

std::string_view View(const void* data, size_t size) {
  return {static_cast<const char*>(data), size};
}

/// One scan: which partitions are not at their end yet.
class Scan {
 public:
  Scan(rd_kafka_t* client, const std::string& topic) : client_(client), topic_(topic) {}

  absl::Status Begin() {
    ASSIGN_OR_RETURN(const int32_t partitions, PartitionsOf(client_, topic_));
    const KafkaPartitionList list(rd_kafka_topic_partition_list_new(partitions));
    for (int32_t partition = 0; partition < partitions; ++partition) {
      rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition);
    }
    ASSIGN_OR_RETURN(const std::vector<LogLimits> limits,
                     ReadLogLimits(client_, list.get(), kRpcTimeoutMs,
                                   fmt::format("reading the ends of state topic '{}'", topic_)));
    for (int32_t partition = partitions - 1; partition >= 0; --partition) {
      const auto [low, high] = limits[static_cast<size_t>(partition)];
      list->elems[partition].offset = low;
      if (low < high) {
        open_[partition] = high;
      } else {
        rd_kafka_topic_partition_list_del_by_idx(list.get(), partition);
      }
    }
    return KafkaStatus(rd_kafka_assign(client_, list.get()), "reading the state topic");
  }

  bool done() const { return open_.empty(); }

  absl::Status Take(const rd_kafka_message_t& message,
                    const std::function<void(const StateTopicRecord&)>& take) {
    const auto open = open_.find(message.partition);
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (open != open_.end() && message.offset >= open->second) open_.erase(open);
      return absl::OkStatus();
    }
    const absl::Status status = KafkaStatus(message.err, "reading the state topic");
    if (absl::IsUnavailable(status)) return absl::OkStatus();  // the client tries again
    RETURN_IF_ERROR(status);
    if (open == open_.end()) return absl::OkStatus();
    if (message.offset < open->second) {
      take({message.partition, rd_kafka_message_timestamp(&message, nullptr),
            View(message.key, message.key_len), View(message.payload, message.len)});
    }
    if (message.offset + 1 >= open->second) open_.erase(open);
    return absl::OkStatus();
  }

 private:
  rd_kafka_t* const client_;
  const std::string& topic_;
  std::map<int32_t, int64_t> open_;  ///< partition to its end
};

}  // namespace

absl::Status ScanStateTopic(const KafkaConnection& connection, const std::string& group,
                            const std::string& topic,
                            const std::function<void(const StateTopicRecord&)>& take) {
  ASSIGN_OR_RETURN(const KafkaClient client, MakeReader(connection, group, {}));
  const KafkaQueue queue(rd_kafka_queue_get_consumer(client.get()));
  FetchWaker waker(client.get());
  Scan scan(client.get(), topic);
  RETURN_IF_ERROR(scan.Begin());
  absl::Time heard = absl::Now();
  while (!scan.done()) {
    const KafkaMessage message(rd_kafka_consumer_poll(client.get(), kPollMs));
    waker.Taken(message == nullptr ? 0 : 1, message == nullptr ? 0 : message->len, queue.get());
    if (message != nullptr) {
      heard = absl::Now();
      RETURN_IF_ERROR(scan.Take(*message, take));
    } else if (absl::Now() - heard > kSilenceMax) {
      return absl::UnavailableError(
          fmt::format("the state topic '{}' cannot be read to its end: no record for {}", topic,
                      absl::FormatDuration(kSilenceMax)));
    }
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
