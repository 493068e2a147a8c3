#include "pipeline/plugins/plugin_loader.h"

#include <dlfcn.h>

#include <string_view>
#include <utility>
#include <vector>

#include <caracal/agent_abi.h>
#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"
#include "agents/plugin/plugin_factory.h"
#include "agents/plugin/plugin_host.h"
#include "agents/plugin/plugin_table.h"
#include "pipeline/base/log.h"
#include "pipeline/plugins/parameter_schema.h"
#include "pipeline/plugins/plugin_file.h"

namespace caracal::pipeline {
namespace {

using Code = DiagnosticCode;
using EntryFunction = const caracal_agent_api* (*)(const caracal_host*);

std::nullptr_t Refuse(PluginRefusal& refusal, Code code, std::string message) {
  refusal = {code, std::move(message)};
  return nullptr;
}

void WriteLog(std::string_view agent, uint32_t level, std::string_view text) {
  // One call site for each level: each is held back by itself.
  if (level >= CARACAL_LOG_ERROR) {
    LOG(kError, "plugin", text, {{"agent", agent}});
  } else if (level == CARACAL_LOG_WARNING) {
    LOG(kWarning, "plugin", text, {{"agent", agent}});
  } else {
    LOG(kInfo, "plugin", text, {{"agent", agent}});
  }
}

/// Null, with `refusal` filled in, when the library cannot be loaded or is no plugin.
EntryFunction LoadLibrary(const PluginFile& file, PluginRefusal& refusal) {
  void* library = dlopen(file.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Refuse(refusal, Code::kPluginNotALibrary,
                  fmt::format("cannot be loaded: {}; link it with everything it needs", dlerror()));
  }
  void* const symbol = dlsym(library, CARACAL_AGENT_ENTRY_SYMBOL);
  if (symbol == nullptr) {
    return Refuse(
        refusal, Code::kPluginNoEntry,
        "does not export caracal_agent_entry; is it a plugin? Its function must be extern "
        "\"C\" and have CARACAL_AGENT_EXPORT");
  }
  return reinterpret_cast<EntryFunction>(symbol);
}

/// What decides a plugin's verdicts besides its version and parameters.
std::string FingerprintOf(const PluginFile& file, bool skip_errors) {
  return fmt::format("sha256:{} on_error:{}", file.sha256, skip_errors ? "skip" : "fail");
}

}  // namespace

std::unique_ptr<agents::AgentFactory> PluginLoader::Load(const PluginRequest& request,
                                                         PluginRefusal& refusal) const {
  std::vector<std::string> directories = request.directories;
  if (directories.empty()) directories.push_back(default_directory_);
  PluginFile file;
  if (!CheckPluginFile(request, directories, file, refusal)) return nullptr;
  const EntryFunction entry = LoadLibrary(file, refusal);
  if (entry == nullptr) return nullptr;

  agents::PluginFactoryOptions options;
  options.host = std::make_unique<agents::PluginHost>(WriteLog);
  options.host->set_agent(file.path);
  options.api = entry(options.host->table());
  absl::StatusOr<agents::AgentInfo> info = agents::ReadPluginTable(options.api);
  if (!info.ok()) {
    const bool version = info.status().code() == absl::StatusCode::kFailedPrecondition;
    return Refuse(refusal, version ? Code::kPluginVersion : Code::kPluginTable,
                  agents::MessageOf(info.status()));
  }
  auto parameters = ParseParameterSchema(options.api->parameters_schema);
  if (!parameters.ok()) {
    return Refuse(refusal, Code::kPluginSchema,
                  fmt::format("its parameters_schema: {}", agents::MessageOf(parameters.status())));
  }
  options.info = *std::move(info);
  options.info.parameters = *std::move(parameters);
  options.info.path = file.path;
  options.info.fingerprint = FingerprintOf(file, request.skip_errors);
  options.on_error =
      request.skip_errors ? agents::PluginErrorPolicy::kSkip : agents::PluginErrorPolicy::kFail;
  options.host->set_agent(options.info.name);
  auto factory = agents::PluginFactory::Make(std::move(options));
  if (factory.ok()) return *std::move(factory);
  return Refuse(refusal, Code::kPluginTable, agents::MessageOf(factory.status()));
}

}  // namespace caracal::pipeline
