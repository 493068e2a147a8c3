#include "pipeline/emit/kafka_output_sink.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kPollMs = 100;
constexpr int kMetadataTimeoutMs = 5000;
constexpr int kPurgeTimeoutMs = 1000;

KafkaProperties OwnedProperties(const OutputSinkOptions& options) {
  return {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      // An alert is never given up: the epoch waits.
      {"message.timeout.ms", "0"},
      {"message.max.bytes", fmt::to_string(options.max_message_bytes)},
      {"allow.auto.create.topics", "false"},
  };
}

const KafkaProperties& DefaultProperties() {
  static const auto* const kDefaults = new KafkaProperties{
      {"linger.ms", "0"},
      {"retry.backoff.ms", "50"},
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "2000"},
      {"queue.buffering.max.messages", "2000000"},
      {"queue.buffering.max.kbytes", "1048576"},
  };
  return *kDefaults;
}

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
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || count == 0) {
    return absl::UnavailableError(
        fmt::format("topic '{}' does not exist: create it with `caracal init`", topic));
  }
  RETURN_IF_ERROR(KafkaStatus(error, fmt::format("topic '{}'", topic)));
  return count;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaOutputSink>> KafkaOutputSink::Create(
    OutputSinkOptions options) {
  std::unique_ptr<KafkaOutputSink> sink(new KafkaOutputSink(std::move(options)));
  RETURN_IF_ERROR(sink->Connect());
  return sink;
}

KafkaOutputSink::~KafkaOutputSink() {
  if (client_ == nullptr) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), kPurgeTimeoutMs);
}

absl::Status KafkaOutputSink::Connect() {
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(options_.connection, DefaultProperties(),
                                                 OwnedProperties(options_)));
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &KafkaOutputSink::OnDelivery);
  rd_kafka_conf_set_opaque(conf.get(), this);
  ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  return absl::OkStatus();
}

void KafkaOutputSink::OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message,
                                 void* opaque) {
  auto* sink = static_cast<KafkaOutputSink*>(opaque);
  auto* pending = static_cast<Pending*>(message->_private);
  pending->in_flight = false;
  pending->error = message->err;
  pending->acknowledged = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
  sink->in_flight_ -= 1;
}

absl::Status KafkaOutputSink::Deliver(std::span<const OutputRecord> outputs) {
  std::vector<Pending> pending(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) pending[i].output = &outputs[i];
  while (true) {
    const absl::Status round = DeliverRound(pending);
    if (!round.ok() && !absl::IsUnavailable(round)) return round;
    if (!round.ok()) {
      LOG(kWarning, "emit", "alerts are waiting for the broker",
          {{"error", agents::MessageOf(round)}});
      rd_kafka_poll(client_.get(), kPollMs);
    }
    if (cancelled()) return absl::CancelledError("delivery was cancelled");
    const bool done = std::all_of(pending.begin(), pending.end(),
                                  [](const Pending& message) { return message.acknowledged; });
    if (done) return absl::OkStatus();
  }
}

absl::Status KafkaOutputSink::DeliverRound(std::vector<Pending>& pending) {
  const absl::Status produced = ProduceAll(pending);
  // Also after an error: no report may arrive for a vector that is gone.
  RETURN_IF_ERROR(AwaitAll());
  RETURN_IF_ERROR(produced);
  RETURN_IF_ERROR(RenewAfterFatal());
  for (Pending& message : pending) {
    if (!message.acknowledged) RETURN_IF_ERROR(Judge(message));
  }
  return absl::OkStatus();
}

absl::Status KafkaOutputSink::RenewAfterFatal() {
  std::array<char, 256> reason = {};
  if (rd_kafka_fatal_error(client_.get(), reason.data(), reason.size()) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return absl::OkStatus();
  }
  LOG(kError, "emit", "the producer failed for good, making a new one", {{"error", reason.data()}});
  probe_.producer_resets.Add(1);
  RETURN_IF_ERROR(Connect());
  return absl::UnavailableError("the producer was made anew");
}

absl::Status KafkaOutputSink::ProduceAll(std::vector<Pending>& pending) {
  for (Pending& message : pending) {
    if (message.acknowledged) continue;
    RETURN_IF_ERROR(Produce(message));
    rd_kafka_poll(client_.get(), 0);
  }
  return absl::OkStatus();
}

absl::Status KafkaOutputSink::Produce(Pending& pending) {
  const OutputRecord& output = *pending.output;
  ASSIGN_OR_RETURN(const int32_t partition, TargetPartition(output));
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

absl::Status KafkaOutputSink::AwaitAll() {
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

absl::Status KafkaOutputSink::Judge(Pending& pending) {
  const OutputRecord& output = *pending.output;
  probe_.send_failures.Add(1);
  switch (pending.error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      if (output.kind == OutputKind::kDeadLetter && !pending.omit_value) {
        pending.omit_value = true;
        probe_.values_omitted.Add(1);
        LOG(kWarning, "emit",
            "a dead letter is larger than its topic accepts: sent without its value",
            {{"topic", output.lease->topic()},
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

absl::StatusOr<int32_t> KafkaOutputSink::TargetPartition(const OutputRecord& output) {
  int32_t& count = output.kind == OutputKind::kAlert ? alert_partitions_ : dead_letter_partitions_;
  if (count == 0) {
    ASSIGN_OR_RETURN(count, CountPartitions(client_.get(), TargetTopic(output.kind)));
  }
  return output.lease->partition() % count;
}

const std::string& KafkaOutputSink::TargetTopic(OutputKind kind) const {
  return kind == OutputKind::kAlert ? options_.alert_topic : options_.dead_letter_topic;
}

}  // namespace caracal::pipeline
