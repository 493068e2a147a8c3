#include "pipeline/snapshot/kafka_snapshot_loader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kRpcTimeoutMs = 5000;
constexpr int kPollMs = 100;

const KafkaProperties& ReaderSettings() {
  static const auto* const kSettings = new KafkaProperties{
      {"fetch.wait.max.ms", "50"},
      {"fetch.message.max.bytes", "4194304"},
      {"queued.max.messages.kbytes", "131072"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "2000"},
  };
  return *kSettings;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSnapshotLoader>> KafkaSnapshotLoader::Create(
    StateTopics topics, ImageReader read, SnapshotCatalogs& catalogs) {
  std::unique_ptr<KafkaSnapshotLoader> loader(
      new KafkaSnapshotLoader(std::move(topics), std::move(read), catalogs));
  RETURN_IF_ERROR(loader->Connect());
  return loader;
}

KafkaSnapshotLoader::KafkaSnapshotLoader(StateTopics topics, ImageReader read,
                                         SnapshotCatalogs& catalogs)
    : topics_(std::move(topics)), restorer_(topics_, std::move(read), catalogs, *this, probe_) {}

absl::Status KafkaSnapshotLoader::RecordRules(std::span<const LeasePtr> leases) {
  return restorer_.RecordRules(leases);
}

bool KafkaSnapshotLoader::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  return writer_->WriteAll(lease, writes);
}

absl::Status KafkaSnapshotLoader::Connect() {
  ASSIGN_OR_RETURN(client_, MakeReader(topics_.connection, topics_.group_id, ReaderSettings()));
  queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  waker_.emplace(client_.get());
  ASSIGN_OR_RETURN(writer_, StateTopicWriter::Create(topics_.connection, topics_.topics, [this] {
                     return stopped_.load(std::memory_order_acquire);
                   }));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LoadedState>> KafkaSnapshotLoader::Load(
    std::span<const RestoreRequest> requests, OffsetStore& offsets) {
  const absl::Time begin = absl::Now();
  const uint64_t read_before = probe_.bytes_read.value();
  ASSIGN_OR_RETURN(std::vector<Reading> readings, Prepare(requests));
  RETURN_IF_ERROR(Assign(readings));
  const absl::Status read = ReadAll(readings);
  rd_kafka_assign(client_.get(), nullptr);
  RETURN_IF_ERROR(read);
  std::vector<LoadedState> states;
  for (Reading& reading : readings) {
    ASSIGN_OR_RETURN(LoadedState state, restorer_.Finish(reading.state, offsets));
    states.push_back(std::move(state));
  }
  probe_.NoteSpeed(probe_.bytes_read.value() - read_before, absl::Now() - begin);
  return states;
}

absl::StatusOr<std::vector<KafkaSnapshotLoader::Reading>> KafkaSnapshotLoader::Prepare(
    std::span<const RestoreRequest> requests) {
  ASSIGN_OR_RETURN(const std::vector<LogLimits> limits, ReadLimits(requests));
  std::vector<Reading> readings;
  for (size_t i = 0; i < requests.size(); ++i) {
    Reading reading = {restorer_.Begin(requests[i])};
    reading.topic = topics_.topics[requests[i].lease->stream()];
    reading.high = limits[i].high;
    reading.low = limits[i].low;
    reading.done = reading.low >= reading.high;
    readings.push_back(std::move(reading));
  }
  return readings;
}

absl::StatusOr<std::vector<LogLimits>> KafkaSnapshotLoader::ReadLimits(
    std::span<const RestoreRequest> requests) {
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(requests.size())));
  for (const RestoreRequest& request : requests) {
    rd_kafka_topic_partition_list_add(list.get(), topics_.topics[request.lease->stream()].c_str(),
                                      request.lease->partition());
  }
  auto limits = ReadLogLimits(client_.get(), list.get(), kRpcTimeoutMs,
                              "reading the ends of the partitions with state");
  if (!absl::IsNotFound(limits.status())) return limits;
  return absl::FailedPreconditionError(fmt::format(
      "{}: the state topic must have as many partitions as its source. Create it with `caracal "
      "init`. If the partition was added to the source, accounts have moved to other partitions, "
      "where their state begins anew: add it to the state topic too (kafka-topics --alter) to "
      "accept that",
      agents::MessageOf(limits.status())));
}

absl::Status KafkaSnapshotLoader::Assign(const std::vector<Reading>& readings) {
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(readings.size())));
  for (const Reading& reading : readings) {
    if (reading.done) continue;
    rd_kafka_topic_partition_list_add(list.get(), reading.topic.c_str(),
                                      reading.state.request().lease->partition())
        ->offset = reading.low;
  }
  return KafkaStatus(rd_kafka_assign(client_.get(), list.get()), "reading the state topic");
}

absl::Status KafkaSnapshotLoader::ReadAll(std::vector<Reading>& readings) {
  const auto all_done = [&readings] {
    return std::all_of(readings.begin(), readings.end(), [](const Reading& reading) {
      return reading.done || reading.state.request().lease->lapsed();
    });
  };
  while (!all_done()) {
    if (stopped_.load(std::memory_order_acquire)) return absl::UnavailableError("stopping");
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), kPollMs));
    waker_->Taken(message == nullptr ? 0 : 1, message == nullptr ? 0 : message->len, queue_.get());
    if (message != nullptr) RETURN_IF_ERROR(Take(*message, readings));
  }
  return absl::OkStatus();
}

absl::Status KafkaSnapshotLoader::Take(const rd_kafka_message_t& message,
                                       std::vector<Reading>& readings) {
  if (message.rkt == nullptr) {
    const absl::Status status = KafkaStatus(message.err, rd_kafka_message_errstr(&message));
    return absl::IsUnavailable(status) ? absl::OkStatus() : status;  // the client tries again
  }
  const std::string_view topic = rd_kafka_topic_name(message.rkt);
  const auto reading = std::find_if(readings.begin(), readings.end(), [&](const Reading& entry) {
    return entry.topic == topic && entry.state.request().lease->partition() == message.partition;
  });
  if (reading == readings.end()) return absl::OkStatus();
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    reading->done = reading->done || message.offset >= reading->high;
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(KafkaStatus(message.err, fmt::format("reading the state topic '{}'", topic)));
  // What was written since belongs to somebody else's time.
  if (message.offset >= reading->high) {
    reading->done = true;
    return absl::OkStatus();
  }
  const std::string_view key(static_cast<const char*>(message.key), message.key_len);
  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  probe_.bytes_read.Add(key.size() + value.size());
  reading->state.Add(key, value);
  reading->done = message.offset + 1 >= reading->high;
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
