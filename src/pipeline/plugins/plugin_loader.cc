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
#include "pipeline/config/file_reader.h"
#include "pipeline/config/parameter_files.h"
#include "pipeline/plugins/parameter_schema.h"
#include "pipeline/plugins/plugin_file.h"
#include "pipeline/plugins/plugin_watch.h"

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
std::string FingerprintOf(const PluginFile& file, uint32_t abi_version, bool skip_errors) {
  return fmt::format("abi:{} sha256:{} on_error:{}", abi_version >> 16, file.sha256,
                     skip_errors ? "skip" : "fail");
}

PluginIdentity IdentityOf(const PluginFile& file, const agents::AgentInfo& info,
                          uint32_t abi_version) {
  return {file.path, file.sha256, info.name, info.version, info.licence, abi_version};
}

/// Null when nobody asked for a probe or there is no clock.
agents::CallWatchMaker WatchMakerOf(const PluginRequest& request,
                                    const std::shared_ptr<const Clock>& clock) {
  if (request.probe == nullptr || clock == nullptr) return nullptr;
  const PluginBudget budget = {request.batch_budget_us, request.stop_on_overrun};
  return [probe = request.probe, budget, clock] {
    return std::make_unique<PluginWatch>(probe, budget, clock);
  };
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
  options.info.fingerprint = FingerprintOf(file, options.api->abi_version, request.skip_errors);
  if (request.probe != nullptr) {
    request.probe->set_identity(IdentityOf(file, options.info, options.api->abi_version));
    request.probe->set_counters(
        [counters = options.host->counters()] { return counters->values(); });
  }
  options.read_file = [](const agents::ParameterFile& named) {
    return ReadParameterFile(DiskFileReader(), named);
  };
  options.watch = WatchMakerOf(request, clock_);
  options.on_error =
      request.skip_errors ? agents::PluginErrorPolicy::kSkip : agents::PluginErrorPolicy::kFail;
  options.host->set_agent(options.info.name);
  auto factory = agents::PluginFactory::Make(std::move(options));
  if (factory.ok()) return *std::move(factory);
  return Refuse(refusal, Code::kPluginTable, agents::MessageOf(factory.status()));
}

}  // namespace caracal::pipeline
