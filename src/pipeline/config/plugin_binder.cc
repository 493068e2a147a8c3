#include "pipeline/config/plugin_binder.h"

#include <utility>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

namespace v1 = ::caracal::config::v1;

PluginRequest RequestOf(const v1::Config& config, const v1::Plugin& plugin) {
  PluginRequest request;
  request.path = plugin.path();
  request.directories.assign(config.plugin_directories().begin(),
                             config.plugin_directories().end());
  request.sha256 = plugin.sha256();
  request.skip_errors = plugin.on_error() == v1::PLUGIN_ERRORS_SKIP;
  request.batch_budget_us = plugin.batch_budget();
  request.stop_on_overrun = plugin.on_overrun() == v1::PLUGIN_OVERRUNS_FAIL;
  request.probe = std::make_shared<PluginProbe>();
  return request;
}

}  // namespace

std::vector<std::shared_ptr<const PluginProbe>> LoadPlugins(const v1::Config& config,
                                                            const PathSpans& spans,
                                                            const PluginLoading& load,
                                                            agents::AgentRegistry& registry,
                                                            Diagnostics& diagnostics) {
  std::vector<std::shared_ptr<const PluginProbe>> probes;
  for (int i = 0; i < config.plugins_size(); ++i) {
    const v1::Plugin& plugin = config.plugins(i);
    if (plugin.path().empty()) continue;  // reported as missing
    const SourceSpan span = spans.Value(fmt::format("plugins[{}].path", i));
    if (load == nullptr) {
      diagnostics.Add(DiagnosticCode::kUnavailable, span, "no plugins can be loaded here");
      continue;
    }
    const PluginRequest request = RequestOf(config, plugin);
    PluginRefusal refusal;
    std::unique_ptr<agents::AgentFactory> factory = load(request, refusal);
    if (factory == nullptr) {
      diagnostics.Add(refusal.code, span, fmt::format("'{}': {}", plugin.path(), refusal.message));
      continue;
    }
    const std::string name = factory->info().name;
    const absl::Status status = registry.Register(std::move(factory));
    if (status.ok()) {
      probes.push_back(request.probe);
      continue;
    }
    if (status.code() != absl::StatusCode::kAlreadyExists) {
      diagnostics.Add(DiagnosticCode::kPluginTable, span,
                      fmt::format("'{}': {}", plugin.path(), agents::MessageOf(status)));
      continue;
    }
    const std::string& other = registry.Find(name)->info().path;
    diagnostics.Add(DiagnosticCode::kPluginName, span,
                    fmt::format("'{}': there is an agent '{}' already, {}", plugin.path(), name,
                                other.empty() ? "built in" : "from " + other));
  }
  return probes;
}

}  // namespace caracal::pipeline
