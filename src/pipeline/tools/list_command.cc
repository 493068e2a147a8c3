#include "pipeline/tools/list_command.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/config/json.h"
#include "pipeline/config/reference_docs.h"
#include "pipeline/tools/config_arguments.h"
#include "pipeline/tools/recorded_rules.h"

namespace caracal::pipeline {
namespace {

struct ListArguments {
  ConfigArguments config;
  std::string format = "text";
  bool canonical = false;
  bool recorded = false;
  std::string show;

  ListFormat list_format() const { return ParseListFormat(format).value_or(ListFormat::kText); }
};

std::string ListRecorded(const std::map<std::string, RecordedRuleset>& rules, ListFormat format) {
  using Entry = std::pair<std::string, RecordedRuleset>;
  std::vector<Entry> oldest_first(rules.begin(), rules.end());
  std::stable_sort(oldest_first.begin(), oldest_first.end(), [](const Entry& a, const Entry& b) {
    return a.second.first_seen_ms < b.second.first_seen_ms;
  });
  Json all = Json::MakeArray();
  std::string text = format == ListFormat::kMarkdown
                         ? "| version | first seen | ruleset | stream |\n|---|---|---|---|\n"
                         : "";
  for (const auto& [version, ruleset] : oldest_first) {
    const std::string seen = absl::FormatTime(
        "%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(ruleset.first_seen_ms), absl::UTCTimeZone());
    Json json = Json::MakeObject();
    json.Set("version", version).Set("first_seen", seen);
    json.Set("name", ruleset.name).Set("stream", ruleset.topic);
    all.Append(std::move(json));
    text += format == ListFormat::kMarkdown
                ? fmt::format("| {} | {} | {} | {} |\n", version, seen, ruleset.name, ruleset.topic)
                : fmt::format("{}  {}  {} on {}\n", version, seen, ruleset.name, ruleset.topic);
  }
  return format == ListFormat::kJson ? all.DumpIndented() + "\n" : text;
}

/// What the state topics say; --show also knows what the configuration says.
int RunListRecorded(const ListArguments& arguments, const LoadedConfig& loaded) {
  for (const LoadedRuleset& ruleset : loaded.rulesets) {
    if (arguments.show != ruleset.spec.version) continue;
    fmt::print("{}\n", ruleset.canonical_json);
    return kExitOk;
  }
  const auto rules = ReadRecordedRules(loaded);
  if (!rules.ok()) {
    fmt::print(stderr, "caracal list rulesets: {}\n", agents::MessageOf(rules.status()));
    return absl::IsUnavailable(rules.status()) ? kExitUnavailable : kExitConfig;
  }
  if (arguments.show.empty()) {
    fmt::print("{}", ListRecorded(*rules, arguments.list_format()));
    return kExitOk;
  }
  const auto found = rules->find(arguments.show);
  if (found == rules->end()) {
    fmt::print(stderr,
               "caracal list rulesets: no state topic of this configuration knows a ruleset '{}'; "
               "--recorded lists those that are known\n",
               arguments.show);
    return kExitFindings;
  }
  fmt::print("{}\n", found->second.canonical_json);
  return kExitOk;
}

int RunListRulesets(const ListArguments& arguments, const agents::AgentRegistry& registry) {
  const LoadResult result = LoadFromDisk(arguments.config, registry);
  if (!PrintFindings(result)) return kExitConfig;
  if (arguments.recorded || !arguments.show.empty()) {
    return RunListRecorded(arguments, *result.config);
  }
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
      "  caracal list agents -c deploy/examples/caracal.yaml --format markdown");
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
  command->add_flag("--recorded", arguments->recorded,
                    "List the versions that have judged, with the time each was first seen, from "
                    "the state topics");
  command
      ->add_option("--show", arguments->show,
                   "Print the canonical JSON of this version: the ruleset_version of an alert")
      ->type_name("VERSION");
  command->footer(
      "--recorded and --show VERSION ask the brokers: the state topics keep the text of\n"
      "every ruleset that was ever in effect.\n\n"
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
