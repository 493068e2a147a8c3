#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/kafka/broker_wait.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// A topic as it is wanted.
struct TopicSpec {
  std::string name;
  int32_t partitions = 1;
  /// -1 = the broker's default.
  int32_t replication = -1;
  std::map<std::string, std::string> config;
};

/// A topic as it is.
struct TopicShape {
  int32_t partitions = 0;
  int32_t replication = 0;  ///< of its first partition
  int32_t brokers = 0;      ///< of the cluster
};

/// Looks at topics and creates them. One thread; every call blocks for at most some seconds.
class TopicAdmin {
 public:
  static absl::StatusOr<std::unique_ptr<TopicAdmin>> Create(const KafkaConnection& connection);

  /// Waits up to `limit` for a broker; Unavailable with the reason and what to check.
  /// `still_trying`, if any, is called once, with that reason, when it takes longer than two
  /// seconds.
  absl::Status AwaitBroker(const std::function<void(const std::string& reason)>& still_trying,
                           absl::Duration limit = absl::Seconds(10));

  /// nullopt when the topic does not exist. Unavailable when no broker answers.
  absl::StatusOr<std::optional<TopicShape>> Shape(const std::string& topic);
  /// Partitions of a topic; nullopt when it does not exist. Unavailable when no broker answers.
  absl::StatusOr<std::optional<int32_t>> PartitionCount(const std::string& topic);
  /// The effective settings of an existing topic.
  absl::StatusOr<std::map<std::string, std::string>> DescribeConfig(const std::string& topic);
  /// Creates one topic and waits until a broker tells of it, which may be a little after the
  /// controller has taken it. AlreadyExists when it is there; PermissionDenied without the right.
  absl::Status CreateTopic(const TopicSpec& spec);

 private:
  TopicAdmin(std::string brokers, std::unique_ptr<LastLogLine> log, KafkaClient client)
      : brokers_(std::move(brokers)), log_(std::move(log)), client_(std::move(client)) {}
  std::string Unanswered() const;
  /// Returns in any case, after ten seconds at the latest.
  void AwaitTopic(const std::string& topic);

  const std::string brokers_;
  const std::unique_ptr<LastLogLine> log_;  ///< the client's threads write to it
  KafkaClient client_;
};

}  // namespace caracal::pipeline
