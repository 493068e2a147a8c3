#include "pipeline/tools/schema_command.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pipeline/config/json_schema.h"
#include "pipeline/tools/config_arguments.h"

namespace caracal::pipeline {
namespace {

/// `arguments.path` empty = the built-in agents alone.
int PrintRulesSchema(const ConfigArguments& arguments, const agents::AgentRegistry& registry) {
  if (arguments.path.empty()) {
    fmt::print("{}\n", RulesSchema(registry).DumpIndented());
    return kExitOk;
  }
  const LoadResult result = LoadFromDisk(arguments, registry);
  if (!PrintFindings(result)) return kExitConfig;
  fmt::print("{}\n", RulesSchema(*result.config->agents).DumpIndented());
  return kExitOk;
}

}  // namespace

void AddSchemaCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result) {
  CLI::App* schema = app.add_subcommand("schema", "JSON Schema of the files, for editors");
  schema->require_subcommand(1);
  schema->footer("Examples:\n  caracal schema config\n  caracal schema rules > rules.schema.json");

  CLI::App* config = schema->add_subcommand("config", "Schema of the configuration file");
  config->footer(
      "Examples:\n  caracal schema config\n  caracal schema config > config.schema.json");
  config->callback([] { fmt::print("{}\n", ConfigSchema().DumpIndented()); });

  CLI::App* rules =
      schema->add_subcommand("rules", "Schema of rule files, parameters of all agents included");
  auto arguments = std::make_shared<ConfigArguments>();
  arguments->path.clear();
  rules
      ->add_option("-c,--config", arguments->path,
                   "Configuration file: the parameters of its plugins are included")
      ->type_name("FILE");
  rules->footer("Examples:\n  caracal schema rules\n  caracal schema rules > rules.schema.json");
  rules->callback([arguments, &registry, &result] {
    result.exit_code = PrintRulesSchema(*arguments, registry);
  });
}

}  // namespace caracal::pipeline
