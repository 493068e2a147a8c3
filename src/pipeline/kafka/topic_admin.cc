#include "pipeline/kafka/topic_admin.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/check.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 10'000;
constexpr absl::Duration kTopicPause = absl::Milliseconds(20);

using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, KafkaDeleter<rd_kafka_AdminOptions_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDeleter<rd_kafka_NewTopic_destroy>>;
using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDeleter<rd_kafka_ConfigResource_destroy>>;

AdminOptions MakeOptions(rd_kafka_t* client, rd_kafka_admin_op_t operation) {
  AdminOptions options(rd_kafka_AdminOptions_new(client, operation));
  std::array<char, 256> error = {};
  CHECK(rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, error.data(),
                                                  error.size()) == RD_KAFKA_RESP_ERR_NO_ERROR);
  return options;
}

void KeepLogLine(const rd_kafka_t* client, int /*level*/, const char* /*facility*/,
                 const char* line) {
  static_cast<LastLogLine*>(rd_kafka_opaque(client))->Note(line);
}

absl::StatusOr<KafkaEvent> Await(rd_kafka_queue_t* queue, std::string_view context) {
  KafkaEvent event(rd_kafka_queue_poll(queue, kTimeoutMs + 1000));
  if (event == nullptr) {
    return absl::UnavailableError(fmt::format("{}: no broker answered", context));
  }
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaAdminStatus(
        rd_kafka_event_error(event.get()),
        fmt::format("{}: {}", context, rd_kafka_event_error_string(event.get())));
  }
  return event;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TopicAdmin>> TopicAdmin::Create(const KafkaConnection& connection) {
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(connection, {}, {}));
  auto log = std::make_unique<LastLogLine>();
  rd_kafka_conf_set_opaque(conf.get(), log.get());
  rd_kafka_conf_set_log_cb(conf.get(), &KeepLogLine);
  ASSIGN_OR_RETURN(KafkaClient client, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  return std::unique_ptr<TopicAdmin>(
      new TopicAdmin(connection.bootstrap_servers, std::move(log), std::move(client)));
}

std::string TopicAdmin::Unanswered() const {
  const std::string reason = log_->Get();
  return fmt::format("no Kafka broker answers at {}{}{}", brokers_, reason.empty() ? "" : ": ",
                     reason);
}

absl::Status TopicAdmin::AwaitBroker(
    const std::function<void(const std::string& reason)>& still_trying, absl::Duration limit) {
  std::function<void()> tell;
  if (still_trying != nullptr) tell = [this, &still_trying] { still_trying(Unanswered()); };
  const absl::Status status = pipeline::AwaitBroker(client_.get(), limit, tell);
  if (!absl::IsUnavailable(status)) return status;
  return absl::UnavailableError(fmt::format(
      "{}; check kafka.bootstrap_servers and kafka.properties, and that Kafka runs there",
      Unanswered()));
}

absl::StatusOr<std::optional<TopicShape>> TopicAdmin::Shape(const std::string& topic) {
  const KafkaTopic handle(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  const struct rd_kafka_metadata* metadata = nullptr;
  RETURN_IF_ERROR(KafkaAdminStatus(
      rd_kafka_metadata(client_.get(), /*all_topics=*/0, handle.get(), &metadata, kTimeoutMs),
      fmt::format("reading the partitions of topic '{}'", topic)));
  const struct rd_kafka_metadata_topic& found = metadata->topics[0];
  const rd_kafka_resp_err_t error = found.err;
  TopicShape shape;
  shape.partitions = found.partition_cnt;
  shape.replication = found.partition_cnt > 0 ? found.partitions[0].replica_cnt : 0;
  shape.brokers = metadata->broker_cnt;
  rd_kafka_metadata_destroy(metadata);
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
  RETURN_IF_ERROR(KafkaAdminStatus(error, fmt::format("topic '{}'", topic)));
  return shape;
}

absl::StatusOr<std::optional<int32_t>> TopicAdmin::PartitionCount(const std::string& topic) {
  ASSIGN_OR_RETURN(const std::optional<TopicShape> shape, Shape(topic));
  if (!shape.has_value()) return std::nullopt;
  return shape->partitions;
}

absl::StatusOr<std::map<std::string, std::string>> TopicAdmin::DescribeConfig(
    const std::string& topic) {
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  std::array<rd_kafka_ConfigResource_t*, 1> resources = {resource.get()};
  const KafkaQueue queue(rd_kafka_queue_new(client_.get()));
  const AdminOptions options = MakeOptions(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_DescribeConfigs(client_.get(), resources.data(), resources.size(), options.get(),
                           queue.get());
  const std::string context = fmt::format("reading the settings of topic '{}'", topic);
  ASSIGN_OR_RETURN(const KafkaEvent event, Await(queue.get(), context));
  size_t count = 0;
  const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  CHECK(count == 1);
  RETURN_IF_ERROR(KafkaAdminStatus(rd_kafka_ConfigResource_error(found[0]), context));
  size_t entry_count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(found[0], &entry_count);
  std::map<std::string, std::string> config;
  for (size_t i = 0; i < entry_count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    config[rd_kafka_ConfigEntry_name(entries[i])] = value == nullptr ? "" : value;
  }
  return config;
}

absl::Status TopicAdmin::CreateTopic(const TopicSpec& spec) {
  std::array<char, 512> error = {};
  const NewTopic topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, spec.replication,
                                             error.data(), error.size()));
  if (topic == nullptr) return absl::InvalidArgumentError(error.data());
  for (const auto& [name, value] : spec.config) {
    RETURN_IF_ERROR(KafkaAdminStatus(
        rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str()), name));
  }
  std::array<rd_kafka_NewTopic_t*, 1> topics = {topic.get()};
  const KafkaQueue queue(rd_kafka_queue_new(client_.get()));
  const AdminOptions options = MakeOptions(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_CreateTopics(client_.get(), topics.data(), topics.size(), options.get(), queue.get());
  const std::string context = fmt::format("creating topic '{}'", spec.name);
  ASSIGN_OR_RETURN(const KafkaEvent event, Await(queue.get(), context));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  CHECK(count == 1);
  const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
  if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
    return absl::AlreadyExistsError(fmt::format("topic '{}' exists", spec.name));
  }
  const char* reason = rd_kafka_topic_result_error_string(results[0]);
  RETURN_IF_ERROR(
      KafkaAdminStatus(code, reason == nullptr ? context : fmt::format("{}: {}", context, reason)));
  AwaitTopic(spec.name);
  return absl::OkStatus();
}

void TopicAdmin::AwaitTopic(const std::string& topic) {
  const absl::Time deadline = absl::Now() + absl::Milliseconds(kTimeoutMs);
  while (absl::Now() < deadline) {
    const absl::StatusOr<std::optional<TopicShape>> shape = Shape(topic);
    const bool is_coming = shape.ok() ? !shape->has_value() : absl::IsUnavailable(shape.status());
    if (!is_coming) return;
    absl::SleepFor(kTopicPause);
  }
}

}  // namespace caracal::pipeline
