#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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

/// Looks at topics and creates them. One thread; every call blocks for at most some seconds.
class TopicAdmin {
 public:
  static absl::StatusOr<std::unique_ptr<TopicAdmin>> Create(const KafkaConnection& connection);

  /// Partitions of a topic; nullopt when it does not exist. Unavailable when no broker answers.
  absl::StatusOr<std::optional<int32_t>> PartitionCount(const std::string& topic);
  /// The effective settings of an existing topic.
  absl::StatusOr<std::map<std::string, std::string>> DescribeConfig(const std::string& topic);
  /// Creates one topic. AlreadyExists when it is there; PermissionDenied without the right.
  absl::Status CreateTopic(const TopicSpec& spec);

 private:
  explicit TopicAdmin(KafkaClient client) : client_(std::move(client)) {}

  KafkaClient client_;
};

}  // namespace caracal::pipeline
