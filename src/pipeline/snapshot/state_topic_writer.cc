#include "pipeline/snapshot/state_topic_writer.h"

#include <algorithm>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kPollMs = 100;
constexpr int kPauseMs = 200;
constexpr int kPurgeTimeoutMs = 1000;

const KafkaProperties& DefaultProperties() {
  static const auto* const kDefaults = new KafkaProperties{
      {"compression.type", "lz4"},
      {"linger.ms", "0"},  // every round is waited for: company does not come
      {"retry.backoff.ms", "50"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "2000"},
      {"message.timeout.ms", "30000"},
      {"queue.buffering.max.kbytes", "131072"},
  };
  return *kDefaults;
}

const KafkaProperties& OwnedProperties() {
  static const auto* const kOwned = new KafkaProperties{
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.max.bytes", "1048588"},
      {"allow.auto.create.topics", "false"},
  };
  return *kOwned;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateTopicWriter>> StateTopicWriter::Create(
    const KafkaConnection& connection, std::vector<std::string> topics,
    std::function<bool()> stopping) {
  std::unique_ptr<StateTopicWriter> writer(
      new StateTopicWriter(connection, std::move(topics), std::move(stopping)));
  RETURN_IF_ERROR(writer->Connect());
  return writer;
}

StateTopicWriter::~StateTopicWriter() {
  if (client_ == nullptr) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), kPurgeTimeoutMs);
}

absl::Status StateTopicWriter::Connect() {
  ASSIGN_OR_RETURN(KafkaConf conf,
                   MakeKafkaConf(connection_, DefaultProperties(), OwnedProperties()));
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &StateTopicWriter::OnDelivery);
  rd_kafka_conf_set_opaque(conf.get(), this);
  ASSIGN_OR_RETURN(KafkaClient client, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  client_ = std::move(client);
  return absl::OkStatus();
}

bool StateTopicWriter::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  const std::string& topic = topics_[lease.stream()];
  while (true) {
    for (StateWrite& write : writes) {
      if (write.acknowledged) continue;
      if (write.value.has_value() && HitFailpoint(Failpoint::kSnapshotChunk)) break;
      Send(topic, lease.partition(), write);
    }
    // Every report has come before the records go.
    while (in_flight_ > 0) {
      if (stopping_()) {
        rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      }
      rd_kafka_poll(client_.get(), kPollMs);
    }
    const bool done = std::all_of(writes.begin(), writes.end(),
                                  [](const StateWrite& write) { return write.acknowledged; });
    if (done) return true;
    if (lease.lapsed() || stopping_()) return false;
    ++failures_;
    LOG(kWarning, "snapshot", "records of the state topic are not written yet, trying again",
        {{"topic", topic},
         {"partition", lease.partition()},
         {"error", agents::MessageOf(KafkaStatus(last_error_, "writing state"))}});
    rd_kafka_poll(client_.get(), kPauseMs);
    if (rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (const absl::Status status = Connect(); !status.ok()) {
        LOG(kError, "snapshot", "no producer", {{"error", agents::MessageOf(status)}});
      }
    }
  }
}

void StateTopicWriter::Send(const std::string& topic, int32_t partition, StateWrite& write) {
  while (true) {
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(write.key.data(), write.key.size()),
        RD_KAFKA_V_VALUE(write.value.has_value() ? write.value->data() : nullptr,
                         write.value.has_value() ? write.value->size() : 0),
        RD_KAFKA_V_OPAQUE(&write), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      in_flight_ += 1;
      return;
    }
    last_error_ = error;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || stopping_()) return;  // not acknowledged
    rd_kafka_poll(client_.get(), kPollMs);
  }
}

void StateTopicWriter::OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message,
                                  void* opaque) {
  static_cast<StateWrite*>(message->_private)->acknowledged =
      message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
  auto* const writer = static_cast<StateTopicWriter*>(opaque);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) writer->last_error_ = message->err;
  writer->in_flight_ -= 1;
}

}  // namespace caracal::pipeline
