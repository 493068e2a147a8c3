#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caracal/agent_abi.h>

#include "agents/api/agent.h"
#include "agents/plugin/call_watch.h"
#include "agents/plugin/plugin_agent.h"
#include "agents/plugin/plugin_host.h"

namespace caracal::agents {

/// A plugin that was loaded and checked.
struct PluginFactoryOptions {
  const caracal_agent_api* api = nullptr;  ///< not owned: valid as long as the process
  AgentInfo info;                          ///< of ReadPluginTable, with parameters
  std::unique_ptr<PluginHost> host;        ///< the one the plugin was given
  PluginErrorPolicy on_error = PluginErrorPolicy::kFail;
  PluginFileReading read_file = nullptr;  ///< null = rules name no files
  CallWatchMaker watch = nullptr;         ///< null = nobody looks on
};

/// Makes rules of a plugin's agent: the plugin's side of AgentFactory. Bind makes one agent of the
/// plugin, to have the parameters judged and the rule described, and frees it; what it says is
/// checked against the limits of the interface. Must outlive its rules and their agents. Immutable;
/// any thread.
class PluginFactory final : public AgentFactory {
 public:
  /// InvalidArgument when the table lists a limit that is no parameter.
  static absl::StatusOr<std::unique_ptr<PluginFactory>> Make(PluginFactoryOptions options);

  const AgentInfo& info() const override { return options_.info; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                  const StreamContext& stream) const override;

 private:
  explicit PluginFactory(PluginFactoryOptions options) : options_(std::move(options)) {}

  const PluginFactoryOptions options_;
};

}  // namespace caracal::agents
