#pragma once

#include <memory>
#include <string>
#include <utility>

#include "agents/api/agent.h"
#include "pipeline/config/plugin_loading.h"

namespace caracal::pipeline {

/// Loads plugins: checks the file, loads it, checks what it says of itself, and makes an agent
/// factory of it that stands beside the built-in ones.
///
/// A library is never unloaded: code of it may still run, and its table is used until the process
/// ends. A file that changes is therefore used after a restart. Plugins log through the process's
/// log, under the component "plugin". One thread at a time; the factories may be used by any.
class PluginLoader {
 public:
  /// `default_directory`: where plugins may lie when a request names no directories.
  explicit PluginLoader(std::string default_directory)
      : default_directory_(std::move(default_directory)) {}

  /// Null, with `refusal` filled in, when the plugin cannot be used.
  std::unique_ptr<agents::AgentFactory> Load(const PluginRequest& request,
                                             PluginRefusal& refusal) const;

 private:
  const std::string default_directory_;
};

}  // namespace caracal::pipeline
