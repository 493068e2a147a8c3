#include "pipeline/emit/kafka_output_sink.h"

#include <array>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kPauseMs = 100;

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

}  // namespace

KafkaOutputSink::KafkaOutputSink(const OutputSinkOptions& options, OutputSinkProbe& probe)
    : producer_(options, DefaultProperties(), OwnedProperties(options), probe) {}

absl::StatusOr<std::unique_ptr<KafkaOutputSink>> KafkaOutputSink::Create(
    const OutputSinkOptions& options, OutputSinkProbe& probe) {
  std::unique_ptr<KafkaOutputSink> sink(new KafkaOutputSink(options, probe));
  RETURN_IF_ERROR(sink->producer_.Connect());
  return sink;
}

absl::Status KafkaOutputSink::Deliver(std::span<const OutputRecord> outputs) {
  std::vector<OutputProducer::Pending> pending = producer_.PendingOf(outputs);
  while (!OutputProducer::AllAcknowledged(pending)) {
    absl::Status round = producer_.Send(pending);
    if (round.ok() || absl::IsUnavailable(round)) round.Update(RenewAfterFatal());
    if (!round.ok() && !absl::IsUnavailable(round)) return round;
    if (producer_.cancelled()) return absl::CancelledError("delivery was cancelled");
    if (round.ok()) continue;
    LOG(kWarning, "emit", "alerts and dead letters cannot be written yet, trying again",
        {{"error", agents::MessageOf(round)}});
    producer_.Serve(kPauseMs);
  }
  producer_.ForgetRefused();
  return absl::OkStatus();
}

absl::Status KafkaOutputSink::RenewAfterFatal() {
  std::array<char, 256> reason = {};
  if (rd_kafka_fatal_error(producer_.client(), reason.data(), reason.size()) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return absl::OkStatus();
  }
  LOG(kError, "emit", "the producer failed for good, making a new one", {{"error", reason.data()}});
  RETURN_IF_ERROR(producer_.Connect());
  return absl::UnavailableError("the producer was made anew");
}

}  // namespace caracal::pipeline
