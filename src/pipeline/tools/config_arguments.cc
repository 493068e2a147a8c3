#include "pipeline/tools/config_arguments.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pipeline/config/diagnostics_format.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/decode/place_table.h"
#include "pipeline/engine/system_clock.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/plugins/plugin_loader.h"

namespace caracal::pipeline {

void AddConfigOptions(CLI::App& command, ConfigArguments& arguments) {
  command.add_option("-c,--config", arguments.path, "Configuration file")
      ->envname("CARACAL_CONFIG")
      ->type_name("FILE")
      ->capture_default_str();
  command
      .add_option("--set", arguments.sets,
                  "Override a setting, for example --set kafka.group_id=test; may be repeated")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
}

LoadResult LoadFromDisk(const ConfigArguments& arguments, const agents::AgentRegistry& registry) {
  const DiskFileReader files;
  LoadTools tools;
  tools.files = &files;
  tools.registry = &registry;
  tools.check_places = [](std::string_view csv, std::string_view name) {
    return PlaceTable::Parse(csv, name).status();
  };
  const KafkaClientProperties kafka = {KafkaPropertyNames(), KafkaPropertyRefusal};
  tools.kafka_properties = &kafka;
  tools.load_plugin = [loader = PluginLoader(CARACAL_PLUGIN_DIR, std::make_shared<SystemClock>())](
                          const PluginRequest& request, PluginRefusal& refusal) {
    return loader.Load(request, refusal);
  };
  return LoadConfig({arguments.path, arguments.sets, ProcessEnvironment()}, tools);
}

bool PrintFindings(const LoadResult& result) {
  fmt::print(stderr, "{}", FormatDiagnostics(result.diagnostics, DiagnosticFormat::kText));
  return result.config.has_value();
}

}  // namespace caracal::pipeline
