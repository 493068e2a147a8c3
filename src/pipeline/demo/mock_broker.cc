#include "pipeline/demo/mock_broker.h"

#include <librdkafka/rdkafka_mock.h>

#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {

absl::StatusOr<std::unique_ptr<MockBroker>> MockBroker::Start() {
  KafkaConf conf(rd_kafka_conf_new());
  RouteKafkaLogs(conf.get());
  ASSIGN_OR_RETURN(KafkaClient host, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  std::unique_ptr<MockBroker> broker(new MockBroker(std::move(host)));
  broker->cluster_ = rd_kafka_mock_cluster_new(broker->host_.get(), /*broker_cnt=*/1);
  if (broker->cluster_ == nullptr) {
    return absl::InternalError("the embedded broker could not be started");
  }
  return broker;
}

MockBroker::~MockBroker() {
  if (cluster_ != nullptr) rd_kafka_mock_cluster_destroy(cluster_);
}

absl::Status MockBroker::CreateTopic(const std::string& name, int32_t partitions) {
  return KafkaStatus(
      rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, /*replication_factor=*/1),
      fmt::format("creating topic '{}' in the embedded broker", name));
}

std::string MockBroker::bootstrap_servers() const {
  return rd_kafka_mock_cluster_bootstraps(cluster_);
}

}  // namespace caracal::pipeline
