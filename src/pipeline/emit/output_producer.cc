#include "pipeline/emit/output_producer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kPollMs = 100;
constexpr int kMetadataTimeoutMs = 5000;
constexpr int kPurgeTimeoutMs = 1000;

absl::StatusOr<int32_t> CountPartitions(rd_kafka_t* client, const std::string& topic) {
  const KafkaTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const struct rd_kafka_metadata* metadata = nullptr;
  RETURN_IF_ERROR(KafkaStatus(
      rd_kafka_metadata(client, /*all_topics=*/0, handle.get(), &metadata, kMetadataTimeoutMs),
      fmt::format("reading the partitions of topic '{}'", topic)));
  const rd_kafka_metadata_topic& found = metadata->topics[0];
  const rd_kafka_resp_err_t error = found.err;
  const int32_t count = found.partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  if (error != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    RETURN_IF_ERROR(KafkaStatus(error, fmt::format("writing to topic '{}'", topic)));
    if (count > 0) return count;
  }
  return absl::UnavailableError(
      fmt::format("topic '{}' does not exist: create it with `caracal init`", topic));
}

}  // namespace

OutputProducer::OutputProducer(OutputSinkOptions options, KafkaProperties defaults,
                               KafkaProperties owned, OutputSinkProbe& probe)
    : options_(std::move(options)),
      defaults_(std::move(defaults)),
      owned_(std::move(owned)),
      probe_(probe) {}

OutputProducer::~OutputProducer() {
  if (client_ == nullptr) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), kPurgeTimeoutMs);
}

absl::Status OutputProducer::Connect() {
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(options_.connection, defaults_, owned_));
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &OutputProducer::OnDelivery);
  rd_kafka_conf_set_error_cb(conf.get(), &OutputProducer::OnError);
  rd_kafka_conf_set_opaque(conf.get(), this);
  const bool first = client_ == nullptr;
  client_.reset();  // Two producers of one transactional id must not be alive together.
  in_flight_ = 0;
  disturbances_ = 0;
  ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  if (!first) probe_.producer_resets.Add(1);
  return absl::OkStatus();
}

void OutputProducer::OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message,
                                void* opaque) {
  auto* producer = static_cast<OutputProducer*>(opaque);
  auto* pending = static_cast<Pending*>(message->_private);
  pending->in_flight = false;
  pending->error = message->err;
  pending->acknowledged = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
  producer->in_flight_ -= 1;
}

void OutputProducer::OnError(rd_kafka_t* client, int error, const char* reason, void* opaque) {
  static_cast<OutputProducer*>(opaque)->disturbances_ += 1;
  LogKafkaError(client, error, reason);
}

std::vector<OutputProducer::Pending> OutputProducer::PendingOf(
    std::span<const OutputRecord> outputs) const {
  std::vector<Pending> pending(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputRecord& output = outputs[i];
    pending[i].output = &output;
    pending[i].omit_value = output.kind == OutputKind::kDeadLetter &&
                            refused_.contains({output.lease->id(), output.offset});
  }
  return pending;
}

bool OutputProducer::AllAcknowledged(const std::vector<Pending>& pending) {
  return std::all_of(pending.begin(), pending.end(),
                     [](const Pending& message) { return message.acknowledged; });
}

void OutputProducer::Serve(int timeout_ms) { rd_kafka_poll(client_.get(), timeout_ms); }

absl::Status OutputProducer::Send(std::vector<Pending>& pending) {
  const absl::Status produced = ProduceAll(pending);
  // Also after an error: no report may arrive for a vector that is gone.
  RETURN_IF_ERROR(AwaitAll());
  RETURN_IF_ERROR(produced);
  for (Pending& message : pending) {
    if (!message.acknowledged) RETURN_IF_ERROR(Judge(message));
  }
  return absl::OkStatus();
}

absl::Status OutputProducer::ProduceAll(std::vector<Pending>& pending) {
  for (Pending& message : pending) {
    if (message.acknowledged) continue;
    RETURN_IF_ERROR(Produce(message));
    rd_kafka_poll(client_.get(), 0);
  }
  return absl::OkStatus();
}

absl::Status OutputProducer::Produce(Pending& pending) {
  const OutputRecord& output = *pending.output;
  ASSIGN_OR_RETURN(const int32_t partitions, TargetPartitions(output.kind));
  const int32_t partition = output.lease->partition() % partitions;
  rd_kafka_headers_t* headers = rd_kafka_headers_new(output.headers.size() + 1);
  for (const auto& [name, value] : output.headers) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  if (pending.omit_value) {
    const std::string bytes = fmt::to_string(output.value.size());
    rd_kafka_header_add(headers, "caracal-value-omitted", -1, bytes.data(),
                        static_cast<ssize_t>(bytes.size()));
  }
  const bool no_value = output.null_value || pending.omit_value;
  const std::string& topic = TargetTopic(output.kind);
  while (true) {
    // The bytes stay in the epoch, which outlives the delivery: nothing is copied.
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(output.null_key ? nullptr : output.key.data(), output.key.size()),
        RD_KAFKA_V_VALUE(no_value ? nullptr : const_cast<char*>(output.value.data()),
                         no_value ? 0 : output.value.size()),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(&pending), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      pending.in_flight = true;
      in_flight_ += 1;
      static_cast<void>(HitFailpoint(Failpoint::kOutputSent));
      return absl::OkStatus();
    }
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || cancelled()) {
      rd_kafka_headers_destroy(headers);
      pending.error = error;
      return absl::OkStatus();  // Judge decides.
    }
    rd_kafka_poll(client_.get(), kPollMs);
  }
}

absl::Status OutputProducer::AwaitAll() {
  bool purged = false;
  while (in_flight_ > 0) {
    probe_.queued_records.Set(static_cast<int64_t>(in_flight_));
    rd_kafka_poll(client_.get(), kPollMs);
    if (cancelled() && !purged) {
      rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      purged = true;
    }
  }
  probe_.queued_records.Set(0);
  return cancelled() ? absl::CancelledError("delivery was cancelled") : absl::OkStatus();
}

absl::Status OutputProducer::Judge(Pending& pending) {
  const OutputRecord& output = *pending.output;
  probe_.send_failures.Add(1);
  switch (pending.error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      if (output.kind == OutputKind::kDeadLetter && !pending.omit_value) {
        pending.omit_value = true;
        refused_.insert({output.lease->id(), output.offset});
        probe_.values_omitted.Add(1);
        LOG(kWarning, "emit",
            "a dead letter is larger than its topic accepts and goes without its value: raise the "
            "topic's max.message.bytes, `caracal init` says to what",
            {{"dead_letter_topic", options_.dead_letter_topic},
             {"topic", output.lease->topic()},
             {"partition", output.lease->partition()},
             {"offset", output.offset},
             {"bytes", output.value.size()}});
        return absl::OkStatus();
      }
      return KafkaStatus(pending.error,
                         fmt::format("topic '{}' refuses a message of {} bytes: raise its "
                                     "max.message.bytes",
                                     TargetTopic(output.kind), output.value.size()));
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      alert_partitions_ = 0;
      dead_letter_partitions_ = 0;
      return absl::UnavailableError(fmt::format(
          "topic '{}' does not exist: create it with `caracal init`", TargetTopic(output.kind)));
    default:
      break;
  }
  const absl::Status status =
      KafkaStatus(pending.error, fmt::format("writing to topic '{}'", TargetTopic(output.kind)));
  return absl::IsPermissionDenied(status) ? status
                                          : absl::UnavailableError(agents::MessageOf(status));
}

absl::StatusOr<int32_t> OutputProducer::TargetPartitions(OutputKind kind) {
  int32_t& count = kind == OutputKind::kAlert ? alert_partitions_ : dead_letter_partitions_;
  if (count == 0) {
    ASSIGN_OR_RETURN(count, CountPartitions(client_.get(), TargetTopic(kind)));
  }
  return count;
}

absl::Status OutputProducer::LookForTopics() {
  if (std::exchange(looked_for_topics_, true)) return absl::OkStatus();
  for (const OutputKind kind : {OutputKind::kAlert, OutputKind::kDeadLetter}) {
    if (cancelled()) return absl::CancelledError("cancelled");
    const absl::StatusOr<int32_t> partitions = TargetPartitions(kind);
    if (partitions.ok()) continue;
    if (absl::IsPermissionDenied(partitions.status())) return partitions.status();
    LOG(kWarning, "emit", "a topic cannot be written to yet",
        {{"topic", TargetTopic(kind)}, {"error", agents::MessageOf(partitions.status())}});
  }
  return absl::OkStatus();
}

const std::string& OutputProducer::TargetTopic(OutputKind kind) const {
  return kind == OutputKind::kAlert ? options_.alert_topic : options_.dead_letter_topic;
}

}  // namespace caracal::pipeline
