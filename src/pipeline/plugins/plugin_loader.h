#pragma once

#include <memory>
#include <string>
#include <utility>

#include "agents/api/agent.h"
#include "pipeline/config/plugin_loading.h"
#include "pipeline/ports/clock.h"

namespace caracal::pipeline {

/// Loads plugins: checks the file, loads it, checks what it says of itself, and makes an agent
/// factory of it that stands beside the built-in ones.
///
/// A library is never unloaded: code of it may still run, and its table is used until the process
/// ends. A file that changes is therefore used after a restart. Plugins log through the process's
/// log, under the component "plugin". One thread at a time; the factories may be used by any.
class PluginLoader {
 public:
  /// `default_directory`: where plugins may lie when a request names no directories. `clock` times
  /// the batches of plugins whose request has a probe; null = nobody looks on.
  explicit PluginLoader(std::string default_directory, std::shared_ptr<const Clock> clock = nullptr)
      : default_directory_(std::move(default_directory)), clock_(std::move(clock)) {}

  /// Null, with `refusal` filled in, when the plugin cannot be used.
  std::unique_ptr<agents::AgentFactory> Load(const PluginRequest& request,
                                             PluginRefusal& refusal) const;

 private:
  const std::string default_directory_;
  const std::shared_ptr<const Clock> clock_;
};

}  // namespace caracal::pipeline
