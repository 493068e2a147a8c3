#include "pipeline/config/config_loader.h"

#include <unistd.h>

#include <memory>
#include <string_view>
#include <utility>

#include "pipeline/config/config_checks.h"
#include "pipeline/config/document.h"
#include "pipeline/config/overrides.h"
#include "pipeline/config/plugin_binder.h"
#include "pipeline/config/proto_binder.h"
#include "pipeline/config/rule_loader.h"

namespace caracal::pipeline {

LoadResult LoadConfig(const LoadRequest& request, const LoadTools& tools) {
  const FileReader& files = *tools.files;
  LoadResult result;
  Diagnostics& diagnostics = result.diagnostics;
  std::optional<Document> document = ReadDocument(request.path, files, diagnostics);
  if (!document.has_value()) return result;

  const MessageDescriptor& section = *v1::Config::descriptor();
  ApplyEnvironment(request.environment, section, document->root, diagnostics);
  ApplySets(request.sets, section, document->root, diagnostics);
  const ReferenceScope references = {&files, &request.environment, request.path};
  ResolveReferences(references, document->root, diagnostics);

  LoadedConfig loaded;
  ProtoBinder binder(diagnostics);
  binder.Bind(document->root, "the configuration", loaded.config);
  loaded.references = binder.references();
  loaded.file_sha256[request.path] = document->sha256;
  FillDerivedSettings(loaded.config);
  CheckConfig(loaded.config, binder.spans(), tools.kafka_properties, diagnostics);
  auto agents = std::make_shared<agents::AgentRegistry>(tools.registry);
  loaded.plugins =
      LoadPlugins(loaded.config, binder.spans(), tools.load_plugin, *agents, diagnostics);
  loaded.agents = agents;
  StreamLoader streams(request.path, files, binder.spans(), tools.check_places, diagnostics);
  for (int i = 0; i < loaded.config.streams_size(); ++i) {
    loaded.streams.push_back(streams.Load(loaded.config, i));
  }
  const RuleScope scope = {&loaded.config, &binder.spans(), &loaded.streams, agents.get(),
                           references};
  loaded.rulesets = LoadRules(scope, loaded.file_sha256, diagnostics);
  if (diagnostics.ok()) result.config = std::move(loaded);
  return result;
}

Environment ProcessEnvironment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

}  // namespace caracal::pipeline
