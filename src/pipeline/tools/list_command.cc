#include "pipeline/tools/list_command.h"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "pipeline/config/reference_docs.h"
#include "pipeline/tools/config_arguments.h"

namespace caracal::pipeline {
namespace {

struct ListArguments {
  ConfigArguments config;
  std::string format = "text";
  bool canonical = false;

  ListFormat list_format() const { return ParseListFormat(format).value_or(ListFormat::kText); }
};

int RunListRulesets(const ListArguments& arguments, const agents::AgentRegistry& registry) {
  const LoadResult result = LoadFromDisk(arguments.config, registry);
  if (!PrintFindings(result)) return kExitConfig;
  fmt::print("{}", arguments.canonical ? ListCanonicalRulesets(*result.config)
                                       : ListRulesets(*result.config, arguments.list_format()));
  return kExitOk;
}

void AddFormat(CLI::App& command, ListArguments& arguments) {
  command.add_option("--format", arguments.format, "Form of the listing")
      ->check(CLI::IsMember({"text", "json", "markdown"}))
      ->capture_default_str();
}

/// Adds a listing that needs no configuration.
void AddListing(CLI::App& list, const std::string& name, const std::string& description,
                std::function<std::string(ListFormat)> render) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* command = list.add_subcommand(name, description);
  AddFormat(*command, *arguments);
  command->footer(
      fmt::format("Examples:\n  caracal list {0}\n  caracal list {0} --format markdown", name));
  command->callback([arguments, render = std::move(render)] {
    fmt::print("{}", render(arguments->list_format()));
  });
}

int RunListAgents(const ListArguments& arguments, const agents::AgentRegistry& registry) {
  if (arguments.config.path.empty()) {
    fmt::print("{}", ListAgents(registry, arguments.list_format()));
    return kExitOk;
  }
  const LoadResult result = LoadFromDisk(arguments.config, registry);
  if (!PrintFindings(result)) return kExitConfig;
  fmt::print("{}", ListAgents(*result.config->agents, arguments.list_format()));
  return kExitOk;
}

void AddListAgents(CLI::App& list, const agents::AgentRegistry& registry, CommandResult& result) {
  auto arguments = std::make_shared<ListArguments>();
  arguments->config.path.clear();
  CLI::App* command = list.add_subcommand("agents", "Every agent with its parameters and reasons");
  command
      ->add_option("-c,--config", arguments->config.path,
                   "Configuration file: its plugins are listed too")
      ->type_name("FILE");
  AddFormat(*command, *arguments);
  command->footer(
      "Examples:\n"
      "  caracal list agents\n"
      "  caracal list agents -c caracal.yaml --format markdown");
  command->callback(
      [arguments, &registry, &result] { result.exit_code = RunListAgents(*arguments, registry); });
}

void AddListRulesets(CLI::App& list, const agents::AgentRegistry& registry, CommandResult& result) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* command =
      list.add_subcommand("rulesets", "The rulesets of a configuration, with their versions");
  AddConfigOptions(*command, arguments->config);
  AddFormat(*command, *arguments);
  command->add_flag("--canonical", arguments->canonical,
                    "Print the canonical JSON whose hash is the version, one ruleset per line");
  command->footer(
      "Examples:\n"
      "  caracal list rulesets -c deploy/examples/caracal.yaml\n"
      "  caracal list rulesets -c deploy/examples/caracal.yaml --canonical");
  command->callback([arguments, &registry, &result] {
    result.exit_code = RunListRulesets(*arguments, registry);
  });
}

}  // namespace

void AddListCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result) {
  CLI::App* list =
      app.add_subcommand("list", "Reference of settings, agents and errors; rulesets of a file");
  list->require_subcommand(1);
  list->footer("Examples:\n  caracal list config\n  caracal list agents --format json");
  AddListing(*list, "config", "Every setting of the configuration file and of rule files",
             ListSettings);
  AddListAgents(*list, registry, result);
  AddListing(*list, "errors", "Every error and warning code of a configuration", ListErrors);
  AddListRulesets(*list, registry, result);
}

}  // namespace caracal::pipeline
