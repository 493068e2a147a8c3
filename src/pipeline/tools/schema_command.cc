#include "pipeline/tools/schema_command.h"

#include <cstdio>

#include <fmt/format.h>

#include "pipeline/config/json_schema.h"

namespace caracal::pipeline {

void AddSchemaCommand(CLI::App& app, const agents::AgentRegistry& registry) {
  CLI::App* schema = app.add_subcommand("schema", "JSON Schema of the files, for editors");
  schema->require_subcommand(1);
  schema->footer("Examples:\n  caracal schema config\n  caracal schema rules > rules.schema.json");

  CLI::App* config = schema->add_subcommand("config", "Schema of the configuration file");
  config->footer(
      "Examples:\n  caracal schema config\n  caracal schema config > config.schema.json");
  config->callback([] { fmt::print("{}\n", ConfigSchema().DumpIndented()); });

  CLI::App* rules =
      schema->add_subcommand("rules", "Schema of rule files, parameters of all agents included");
  rules->footer("Examples:\n  caracal schema rules\n  caracal schema rules > rules.schema.json");
  rules->callback([&registry] { fmt::print("{}\n", RulesSchema(registry).DumpIndented()); });
}

}  // namespace caracal::pipeline
