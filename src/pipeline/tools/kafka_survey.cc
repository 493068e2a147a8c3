#include "pipeline/tools/kafka_survey.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 10'000;

absl::StatusOr<std::optional<TopicFacts>> LookAt(TopicAdmin& admin, const std::string& topic,
                                                 int32_t& brokers) {
  ASSIGN_OR_RETURN(const std::optional<TopicShape> shape, admin.Shape(topic));
  if (!shape.has_value()) return std::nullopt;
  brokers = std::max(brokers, shape->brokers);
  TopicFacts facts;
  facts.partitions = shape->partitions;
  facts.replication = shape->replication;
  ASSIGN_OR_RETURN(facts.config, admin.DescribeConfig(topic));
  return facts;
}

std::set<std::string> TopicsOf(const LoadedConfig& loaded) {
  std::set<std::string> topics = {loaded.config.alerts().topic(),
                                  loaded.config.dead_letters().topic()};
  for (const auto& stream : loaded.config.streams()) {
    topics.insert(stream.topic());
    topics.insert(stream.state_topic());
  }
  return topics;
}

absl::Status TryGroup(const KafkaConnection& connection, const std::string& group,
                      const std::string& topic) {
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(connection, {}, {{"group.id", group}}));
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  ASSIGN_OR_RETURN(const KafkaClient client, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0);
  return KafkaStatus(rd_kafka_committed(client.get(), list.get(), kTimeoutMs),
                     "reading its committed offsets");
}

absl::Status TryTransactions(const KafkaConnection& connection, const std::string& id) {
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(connection, {}, {{"transactional.id", id}}));
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  ASSIGN_OR_RETURN(const KafkaClient client, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  const KafkaError error(rd_kafka_init_transactions(client.get(), kTimeoutMs));
  if (error == nullptr) return absl::OkStatus();
  return KafkaStatus(
      rd_kafka_error_code(error.get()),
      fmt::format("the brokers do not take them: {}", rd_kafka_error_string(error.get())));
}

}  // namespace

KafkaFacts SurveyTopics(const LoadedConfig& loaded, TopicAdmin& admin) {
  KafkaFacts kafka;
  for (const std::string& topic : TopicsOf(loaded)) {
    kafka.topics.emplace(topic, LookAt(admin, topic, kafka.brokers));
  }
  return kafka;
}

void SurveyRights(const LoadedConfig& loaded, KafkaFacts& kafka) {
  const KafkaConnection connection = ConnectionFromConfig(loaded);
  const std::string& group = loaded.config.kafka().group_id();
  kafka.group = TryGroup(connection, group, loaded.config.streams(0).topic());
  if (loaded.config.delivery() == caracal::config::v1::DELIVERY_EXACTLY_ONCE) {
    kafka.transactions = TryTransactions(connection, group + "-doctor");
  }
}

}  // namespace caracal::pipeline
