#pragma once

#include <string>

#include "agents/api/check.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/source/join_watch.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {

/// A consumer of the group that has not joined it: enough to read and commit offsets while the
/// group has never had a member. `watch`, if any, is installed in it.
inline KafkaClient PlainConsumer(const MockKafka& kafka, JoinWatch* watch = nullptr) {
  auto conf = MakeKafkaConf({.bootstrap_servers = kafka.bootstrap_servers(), .client_id = "test"},
                            {{"reconnect.backoff.ms", "10"},
                             {"reconnect.backoff.max.ms", "100"},
                             {"heartbeat.interval.ms", "100"}},
                            {{"group.id", MockKafka::kGroup}, {"enable.auto.commit", "false"}});
  CHECK(conf.ok());
  if (watch != nullptr) watch->Install(conf->get());
  auto client = MakeKafkaClient(RD_KAFKA_CONSUMER, *std::move(conf));
  CHECK(client.ok());
  return *std::move(client);
}

}  // namespace caracal::pipeline
