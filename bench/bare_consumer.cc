// The reference of drain_bench: reads a topic from its start to its end with librdkafka's batch
// call and does nothing with the records. The client properties of a member of Caracal but for
// those with which nothing is faster when nobody keeps the client waiting (kPrefetch), its own
// consumer group, one thread. Prints one JSON line and leaves.
//
//   bare_consumer BROKERS TOPIC GROUP

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/source/source_options.h"

namespace caracal::pipeline {
namespace {

/// A queue that never runs full, and fetches that fit into the cache.
const KafkaProperties kPrefetch = {{"queued.min.messages", "1000000"},
                                   {"queued.max.messages.kbytes", "1048576"},
                                   {"fetch.message.max.bytes", "262144"}};
constexpr int kTimeoutMs = 10'000;
constexpr int kBatchWaitMs = 100;

/// What has been read.
struct Progress {
  std::vector<int64_t> ends;  ///< by partition: the offset behind the last record
  size_t partitions_left = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
};

void OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                 rd_kafka_topic_partition_list_t* partitions, void* /*opaque*/) {
  const bool assigned = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  for (int i = 0; assigned && i < partitions->cnt; ++i) {
    partitions->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  const KafkaError failed(assigned ? rd_kafka_incremental_assign(client, partitions)
                                   : rd_kafka_incremental_unassign(client, partitions));
  if (failed != nullptr) fmt::print(stderr, "{}\n", rd_kafka_error_string(failed.get()));
}

absl::Status FindEnds(rd_kafka_t* client, const std::string& topic, Progress& progress) {
  const KafkaTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_metadata(client, 0, handle.get(), &metadata, kTimeoutMs),
                              "asking for the partitions"));
  const int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(metadata);
  for (int partition = 0; partition < count; ++partition) {
    int64_t low = 0;
    int64_t high = 0;
    RETURN_IF_ERROR(KafkaStatus(
        rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &low, &high, kTimeoutMs),
        "asking for the end of a partition"));
    progress.ends.push_back(high);
    progress.partitions_left += high > low ? 1 : 0;
  }
  if (progress.partitions_left == 0) return absl::NotFoundError("the topic is empty or unknown");
  return absl::OkStatus();
}

absl::Status Note(const rd_kafka_message_t& message, Progress& progress) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaStatus(message.err, rd_kafka_message_errstr(&message));
  }
  ++progress.records;
  progress.bytes += message.len + message.key_len;
  const int64_t end = progress.ends[static_cast<size_t>(message.partition)];
  progress.partitions_left -= message.offset + 1 == end ? 1 : 0;
  return absl::OkStatus();
}

absl::Status ReadAll(rd_kafka_t* client, const SourceOptions& options, Progress& progress) {
  const KafkaPartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), options.topics[0].name.c_str(),
                                    RD_KAFKA_PARTITION_UA);
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_subscribe(client, topics.get()), "joining the group"));
  const KafkaQueue queue(rd_kafka_queue_get_consumer(client));
  std::vector<rd_kafka_message_t*> messages(options.batch_records);
  absl::Status status;
  while (status.ok() && progress.partitions_left > 0) {
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue.get(), kBatchWaitMs, messages.data(), messages.size());
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* const message = messages[static_cast<size_t>(i)];
      status.Update(Note(*message, progress));
      rd_kafka_message_destroy(message);
    }
  }
  return status;
}

double CpuSeconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

absl::Status Run(const SourceOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(KafkaConf conf, MakeConsumerConf(options));
  rd_kafka_conf_set_rebalance_cb(conf.get(), &OnRebalance);
  ASSIGN_OR_RETURN(const KafkaClient client, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
  Progress progress;
  RETURN_IF_ERROR(FindEnds(client.get(), options.topics[0].name, progress));
  RETURN_IF_ERROR(ReadAll(client.get(), options, progress));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      R"({{"records":{},"bytes":{},"seconds":{:.3f},"cpu_seconds":{:.3f},"peak_rss_kib":{}}})"
      "\n",
      progress.records, progress.bytes, elapsed.count(), CpuSeconds(usage), usage.ru_maxrss);
  std::fflush(stdout);
  return KafkaStatus(rd_kafka_consumer_close(client.get()), "leaving the group");
}

}  // namespace
}  // namespace caracal::pipeline

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: bare_consumer BROKERS TOPIC GROUP\n");
    return 64;
  }
  caracal::pipeline::SourceOptions options;
  options.connection.bootstrap_servers = argv[1];
  options.topics = {{argv[2], {}, {}}};
  options.group_id = argv[3];
  options.connection.properties = caracal::pipeline::kPrefetch;
  if (const absl::Status status = caracal::pipeline::Run(options); !status.ok()) {
    fmt::print(stderr, "bare_consumer: {}\n", caracal::agents::MessageOf(status));
    return 1;
  }
  return 0;
}
