#include "pipeline/generate/kafka_sink.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <string_view>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/broker_wait.h"

namespace caracal::pipeline {
namespace {

constexpr int kMetadataTimeoutMs = 10'000;
constexpr int kQueueFullWaitMs = 100;
constexpr int kFlushStepMs = 200;
constexpr int kMostFlushSteps = 175;
constexpr uint64_t kRecordsPerPoll = 256;
constexpr size_t kErrorTextBytes = 512;

const std::pair<const char*, const char*> kDefaults[] = {
    {"client.id", "caracal-generate"},
    {"enable.idempotence", "true"},
    {"compression.codec", "lz4"},
    {"linger.ms", "5"},
    {"socket.nagle.disable", "true"},
    {"message.timeout.ms", "30000"},
    {"queue.buffering.max.messages", "1000000"},
    {"queue.buffering.max.kbytes", "65536"},
};

struct DestroyConf {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, DestroyConf>;

struct DestroyMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using MetadataPtr = std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata>;

absl::Status SetProperty(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char error[kErrorTextBytes];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof(error)) ==
      RD_KAFKA_CONF_OK) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(fmt::format("Kafka property {}: {}", name, error));
}

bool IsOutage(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
         error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         error == RD_KAFKA_RESP_ERR__RESOLVE;
}

}  // namespace

/// The librdkafka side of the sink: the client, its topic and what its callbacks report. Callbacks
/// for deliveries run inside the caller's own poll; the log callback runs on librdkafka's threads.
class KafkaSink::Producer {
 public:
  explicit Producer(const KafkaSinkOptions& options) : options_(options) {}
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  ~Producer() {
    if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
    if (client_ != nullptr) rd_kafka_destroy(client_);
  }

  absl::Status Start();
  absl::Status FindTopic();
  absl::Status Write(const GeneratedRecord& record);
  absl::Status Poll();
  absl::Status Close();

  int32_t partitions() const { return partitions_; }
  uint64_t bytes() const { return bytes_; }

 private:
  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);
  static void OnLog(const rd_kafka_t* client, int level, const char* facility, const char* text);

  absl::Status Fail(rd_kafka_resp_err_t error, std::string_view what);
  absl::Status WaitForRoom();
  std::string Unanswered() const;

  const KafkaSinkOptions options_;
  rd_kafka_t* client_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  int32_t partitions_ = 0;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  uint64_t failed_ = 0;
  rd_kafka_resp_err_t first_failure_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  LastLogLine log_;  // librdkafka's threads write to it
};

absl::Status KafkaSink::Producer::Start() {
  ConfPtr conf(rd_kafka_conf_new());
  for (const auto& [name, value] : kDefaults) {
    RETURN_IF_ERROR(SetProperty(conf.get(), name, value));
  }
  RETURN_IF_ERROR(SetProperty(conf.get(), "bootstrap.servers", options_.brokers));
  for (const auto& [name, value] : options_.properties) {
    RETURN_IF_ERROR(SetProperty(conf.get(), name, value));
  }
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &OnDelivery);
  rd_kafka_conf_set_log_cb(conf.get(), &OnLog);
  char error[kErrorTextBytes];
  client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), error, sizeof(error));
  if (client_ == nullptr) {
    return absl::InvalidArgumentError(fmt::format("the Kafka properties do not fit: {}", error));
  }
  // rd_kafka_new has taken the configuration over.
  [[maybe_unused]] rd_kafka_conf_t* const taken = conf.release();
  return absl::OkStatus();
}

std::string KafkaSink::Producer::Unanswered() const {
  const std::string reason = log_.Get();
  return fmt::format("cannot reach Kafka at {}{}{}", options_.brokers, reason.empty() ? "" : ": ",
                     reason);
}

absl::Status KafkaSink::Producer::FindTopic() {
  const absl::Status reached = AwaitBroker(client_, options_.connect_timeout, [this] {
    if (options_.still_trying) options_.still_trying(Unanswered());
  });
  // All topics: to ask for one would make a broker with auto.create.topics.enable create it.
  const rd_kafka_metadata_t* answer = nullptr;
  if (!reached.ok() || rd_kafka_metadata(client_, 1, nullptr, &answer, kMetadataTimeoutMs) !=
                           RD_KAFKA_RESP_ERR_NO_ERROR) {
    return absl::UnavailableError(
        fmt::format("{}; check --brokers and that the broker runs", Unanswered()));
  }
  const MetadataPtr metadata(answer);
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (options_.topic != metadata->topics[i].topic) continue;
    partitions_ = metadata->topics[i].partition_cnt;
  }
  if (partitions_ == 0) {
    return absl::NotFoundError(fmt::format(
        "Kafka at {} has no topic {}, or does not show it to this user; create it first, for "
        "example: kafka-topics.sh --bootstrap-server {} --create --topic {} --partitions 6",
        options_.brokers, options_.topic, options_.brokers, options_.topic));
  }
  topic_ = rd_kafka_topic_new(client_, options_.topic.c_str(), nullptr);
  if (topic_ == nullptr) return Fail(rd_kafka_last_error(), "opening topic");
  return absl::OkStatus();
}

absl::Status KafkaSink::Producer::Write(const GeneratedRecord& record) {
  if (record.partition < 0 || record.partition >= partitions_) {
    return absl::InvalidArgumentError(fmt::format("topic {} has {} partitions; there is no {}",
                                                  options_.topic, partitions_, record.partition));
  }
  const int64_t timestamp_ms = options_.event_timestamps ? record.timestamp_ms : 0;
  while (true) {
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_, RD_KAFKA_V_RKT(topic_), RD_KAFKA_V_PARTITION(record.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
        RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) return Fail(error, "producing to");
    RETURN_IF_ERROR(WaitForRoom());
  }
  bytes_ += record.key.size() + record.value.size();
  return ++records_ % kRecordsPerPoll == 0 ? Poll() : absl::OkStatus();
}

absl::Status KafkaSink::Producer::WaitForRoom() {
  if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
    return absl::CancelledError("stopped while Kafka was taking no more records");
  }
  rd_kafka_poll(client_, kQueueFullWaitMs);
  return Poll();
}

absl::Status KafkaSink::Producer::Poll() {
  rd_kafka_poll(client_, 0);
  if (failed_ == 0) return absl::OkStatus();
  return Fail(first_failure_, fmt::format("{} records were not delivered to", failed_));
}

absl::Status KafkaSink::Producer::Close() {
  for (int i = 0; i < kMostFlushSteps; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_flush(client_, kFlushStepMs);
    RETURN_IF_ERROR(Poll());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    if (error != RD_KAFKA_RESP_ERR__TIMED_OUT) return Fail(error, "flushing");
  }
  return Fail(RD_KAFKA_RESP_ERR__TIMED_OUT,
              fmt::format("{} records are still on their way to", rd_kafka_outq_len(client_)));
}

absl::Status KafkaSink::Producer::Fail(rd_kafka_resp_err_t error, std::string_view what) {
  std::string text = fmt::format("{} topic {}: {}", what, options_.topic, rd_kafka_err2str(error));
  if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    text += "; raise message.max.bytes with --kafka-property, and max.message.bytes of the topic";
  }
  char fatal[kErrorTextBytes];
  if (rd_kafka_fatal_error(client_, fatal, sizeof(fatal)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    text += fmt::format(" ({})", fatal);
  }
  if (IsOutage(error)) {
    const std::string log_line = log_.Get();
    if (!log_line.empty()) text += fmt::format(" ({})", log_line);
    return absl::UnavailableError(text);
  }
  return absl::UnknownError(text);
}

void KafkaSink::Producer::OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message,
                                     void* opaque) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  auto& self = *static_cast<Producer*>(opaque);
  if (self.failed_++ == 0) self.first_failure_ = message->err;
}

void KafkaSink::Producer::OnLog(const rd_kafka_t* client, int /*level*/, const char* /*facility*/,
                                const char* text) {
  auto& self = *static_cast<Producer*>(rd_kafka_opaque(client));
  self.log_.Note(text);
}

absl::StatusOr<std::unique_ptr<KafkaSink>> KafkaSink::Connect(const KafkaSinkOptions& options) {
  auto producer = std::make_unique<Producer>(options);
  RETURN_IF_ERROR(producer->Start());
  RETURN_IF_ERROR(producer->FindTopic());
  return std::unique_ptr<KafkaSink>(new KafkaSink(std::move(producer)));
}

KafkaSink::KafkaSink(std::unique_ptr<Producer> producer) : producer_(std::move(producer)) {}
KafkaSink::~KafkaSink() = default;

int32_t KafkaSink::partitions() const { return producer_->partitions(); }
absl::Status KafkaSink::Write(const GeneratedRecord& record) { return producer_->Write(record); }
absl::Status KafkaSink::Flush() { return producer_->Poll(); }
absl::Status KafkaSink::Close() { return producer_->Close(); }
uint64_t KafkaSink::bytes() const { return producer_->bytes(); }

}  // namespace caracal::pipeline
