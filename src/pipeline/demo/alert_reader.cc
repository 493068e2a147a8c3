#include "pipeline/demo/alert_reader.h"

#include <google/protobuf/util/json_util.h>

#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "caracal/alert/v1/alert.pb.h"
#include "pipeline/base/log.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr int kPollMs = 50;

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

AlertReader::AlertReader(std::string bootstrap_servers, std::string topic, int32_t partitions,
                         Scoreboard& scoreboard, RunRecorder* recorder)
    : bootstrap_servers_(std::move(bootstrap_servers)),
      topic_(std::move(topic)),
      partitions_(partitions),
      scoreboard_(scoreboard),
      recorder_(recorder) {}

AlertReader::~AlertReader() { Stop(); }

absl::Status AlertReader::Start() {
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf({.bootstrap_servers = bootstrap_servers_},
                                                 {{"fetch.wait.max.ms", "10"}},
                                                 {{"group.id", "caracal-demo-reader"},
                                                  {"enable.auto.commit", "false"},
                                                  {"auto.offset.reset", "earliest"}}));
  ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
  rd_kafka_poll_set_consumer(client_.get());
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(partitions_));
  for (int32_t partition = 0; partition < partitions_; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_assign(client_.get(), list.get()), "reading the alerts"));
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void AlertReader::Stop() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

void AlertReader::Run() {
  while (!stop_.load(std::memory_order_acquire)) {
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), kPollMs));
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) Read(*message);
  }
}

void AlertReader::Read(const rd_kafka_message_t& message) {
  if (recorder_ != nullptr) recorder_->NoteAlert(message);
  caracal::alert::v1::Alert alert;
  const std::string json(static_cast<const char*>(message.payload), message.len);
  if (!google::protobuf::util::JsonStringToMessage(json, &alert).ok()) {
    LOG(kError, "demo", "an alert is not what its schema says");
    return;
  }
  std::vector<std::string> rules;
  for (const auto& reason : alert.reasons()) rules.push_back(reason.rule());
  int64_t transaction = 0;
  const std::string& id = alert.transaction_id();
  std::from_chars(id.data(), id.data() + id.size(), transaction);
  scoreboard_.NoteAlert(alert.alert_id(), transaction, rules, NowMicros());
}

}  // namespace caracal::pipeline
