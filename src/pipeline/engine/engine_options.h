#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "pipeline/base/plugin_probe.h"
#include "pipeline/commit/epoch_coordinator.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/emit/output_producer.h"
#include "pipeline/engine/ingest.h"
#include "pipeline/snapshot/rules_manifest.h"
#include "pipeline/source/source_options.h"

namespace caracal::pipeline {

/// One source topic: how it is read and what it is judged by.
struct StreamOptions {
  DecodeOptions decode;
  agents::StreamContext context;
  std::vector<agents::RulesetSpec> rulesets;
  /// Their canonical texts, kept in the state topic.
  std::vector<RulesetText> ruleset_texts = {};
};

enum class Delivery : uint8_t { kAtLeastOnce, kExactlyOnce };

/// Everything an engine needs, as plain values: made from the configuration by options_from_config,
/// or by a test or the demo directly. Streams are in the order of `source.topics`.
struct EngineOptions {
  // Behaviour.
  Delivery delivery = Delivery::kExactlyOnce;
  /// Name of this instance, unique in the group; empty = a random one per process.
  std::string instance_id;
  SourceOptions source;
  OutputSinkOptions sink;
  std::vector<StreamOptions> streams;
  IngestOptions ingest;
  EpochOptions epochs;
  uint64_t hash_seed = 0;
  int64_t max_bytes_per_partition = int64_t{512} << 20;
  uint32_t rows_per_bucket = 16'384;
  absl::Duration shutdown_timeout = absl::Seconds(25);
  /// Bytes the process may use; 0 = do not check.
  int64_t memory_limit = 0;
  /// Compacted topics the state is saved to, by stream; empty = it is rebuilt by replay alone.
  std::vector<std::string> state_topics;
  /// The plugins the rulesets use, while they run.
  std::vector<std::shared_ptr<const PluginProbe>> plugins = {};
  /// The effective configuration with secrets redacted, for /config.
  std::string redacted_config;

  // Performance.
  /// 0 = judge on the ingest thread.
  uint32_t worker_threads = 0;
  size_t ring_capacity = 64;
};

}  // namespace caracal::pipeline
