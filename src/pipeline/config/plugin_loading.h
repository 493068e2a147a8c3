#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/api/agent.h"
#include "pipeline/base/plugin_probe.h"
#include "pipeline/config/diagnostics.h"

namespace caracal::pipeline {

/// A plugin to load, as the configuration names it.
struct PluginRequest {
  std::string path;
  /// Directories it may lie below; empty = the default one.
  std::vector<std::string> directories;
  /// 64 lower-case hex digits; empty = any file.
  std::string sha256;
  /// Errors with events are passed over instead of stopping the engine.
  bool skip_errors = false;
  /// Longest time for a batch, in microseconds; longer ones are counted.
  int64_t batch_budget_us = 100'000;
  /// They stop the engine, too.
  bool stop_on_overrun = false;
  /// Where the plugin is described, and counted while it runs; null = nowhere.
  std::shared_ptr<PluginProbe> probe = nullptr;
};

/// Why a plugin was not loaded.
struct PluginRefusal {
  DiagnosticCode code = DiagnosticCode::kPluginUnreadable;
  std::string message;
};

/// Loads a plugin; null, with `refusal` filled in, when it cannot be used.
using PluginLoading = std::function<std::unique_ptr<agents::AgentFactory>(
    const PluginRequest& request, PluginRefusal& refusal)>;

}  // namespace caracal::pipeline
