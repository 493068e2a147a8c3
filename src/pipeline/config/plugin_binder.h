#pragma once

#include <memory>
#include <vector>

#include "agents/api/agent_registry.h"
#include "caracal/config/v1/config.pb.h"
#include "pipeline/base/plugin_probe.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/path_spans.h"
#include "pipeline/config/plugin_loading.h"

namespace caracal::pipeline {

/// Loads config.plugins into `registry`. Findings go to the diagnostics, at the plugin's path.
/// Returns the probes of those that were loaded.
std::vector<std::shared_ptr<const PluginProbe>> LoadPlugins(
    const caracal::config::v1::Config& config, const PathSpans& spans, const PluginLoading& load,
    agents::AgentRegistry& registry, Diagnostics& diagnostics);

}  // namespace caracal::pipeline
