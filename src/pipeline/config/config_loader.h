#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/config/kafka_properties.h"
#include "pipeline/config/loaded_config.h"
#include "pipeline/config/references.h"
#include "pipeline/config/stream_loader.h"

namespace caracal::pipeline {

/// What to load, and from where.
struct LoadRequest {
  /// The configuration file.
  std::string path;
  /// --set arguments, "path=value"; later ones win.
  std::vector<std::string> sets;
  /// The process's environment: CARACAL_* settings and what ${env:...} refers to.
  Environment environment;
};

struct LoadResult {
  /// Present only when there are no errors.
  std::optional<LoadedConfig> config;
  Diagnostics diagnostics;
};

/// What loading works with. Nothing is owned; nothing may change meanwhile.
struct LoadTools {
  const FileReader* files = nullptr;
  const agents::AgentRegistry* registry = nullptr;
  /// Null = place tables are digested but not checked.
  PlaceTableCheck check_places = nullptr;
  /// Null = the Kafka client is not asked about kafka.properties.
  const KafkaClientProperties* kafka_properties = nullptr;
};

/// Loads a configuration with its rule files and reports everything that is wrong with it.
/// Precedence: --set, then environment, then file, then default. Blocks on file reads only; throws
/// nothing. Any thread.
LoadResult LoadConfig(const LoadRequest& request, const LoadTools& tools);

/// The environment of this process.
Environment ProcessEnvironment();

}  // namespace caracal::pipeline
