#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {

/// Where the state of every stream is kept.
struct StateTopics {
  KafkaConnection connection;
  /// Compacted topics, by stream index, with as many partitions as their source.
  std::vector<std::string> topics;
  /// Buckets per partition.
  uint32_t buckets = 64;
  uint64_t hash_seed = 0;
};

}  // namespace caracal::pipeline
