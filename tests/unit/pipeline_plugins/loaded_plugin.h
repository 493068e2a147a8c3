#pragma once

#include <memory>
#include <string>

#include "agents/api/agent.h"
#include "pipeline/plugins/plugin_loader.h"

namespace caracal::pipeline {

/// Loads a plugin of tests/plugin by its name; null with a refusal.
inline std::unique_ptr<agents::AgentFactory> LoadTestPlugin(const std::string& name,
                                                            PluginRefusal& refusal,
                                                            bool skip_errors = false) {
  PluginRequest request;
  request.path = CARACAL_TEST_PLUGIN_DIR "/" + name + ".so";
  request.skip_errors = skip_errors;
  return PluginLoader(CARACAL_TEST_PLUGIN_DIR).Load(request, refusal);
}

}  // namespace caracal::pipeline
