#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/api/agent.h"
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
