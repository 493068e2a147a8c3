#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agents/state/state_digest.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/snapshot/rules_manifest.h"

namespace caracal::pipeline {

/// Where the state of every stream is kept.
struct StateTopics {
  KafkaConnection connection;
  /// The engine's consumer group; the readers join none, see MakeReader.
  std::string group_id;
  /// Compacted topics, by stream index, with as many partitions as their source.
  std::vector<std::string> topics;
  /// Buckets per partition.
  uint32_t buckets = 64;
  /// BucketImage::SeedFingerprint of the hash seed.
  uint64_t seed_fingerprint = 0;
  /// StateLayout::id of the rules in effect, by stream index.
  std::vector<agents::StateDigest> layouts;
  /// And these rules, by stream index.
  std::vector<RulesRecord> rules;
  /// Budget of the state of one partition, in bytes.
  size_t max_bytes_per_partition = size_t{512} << 20;
  /// What the copies of partitions that are read together may hold, in bytes; one alone may hold
  /// what its budget asks for.
  size_t restore_bytes_max = size_t{1} << 30;
  /// A restore begins anew when no record has come for so long.
  absl::Duration silence_max = absl::Seconds(30);
};

}  // namespace caracal::pipeline
