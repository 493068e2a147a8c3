#pragma once

#include <string>

#include "pipeline/config/json.h"
#include "pipeline/config/loaded_config.h"

namespace caracal::pipeline {

/// The effective configuration, defaults included, fit to be shown: secret settings and Kafka
/// properties that look like secrets read "<redacted>"; every value that came from a reference
/// shows the reference (without its default) instead. Any thread.
Json RedactedConfig(const LoadedConfig& loaded);
/// The same as YAML.
std::string RedactedConfigYaml(const LoadedConfig& loaded);

}  // namespace caracal::pipeline
