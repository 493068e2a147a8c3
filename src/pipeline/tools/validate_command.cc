#include "pipeline/tools/validate_command.h"

#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "pipeline/config/diagnostics_format.h"
#include "pipeline/conformance/conformance.h"
#include "pipeline/tools/config_arguments.h"
#include "pipeline/tools/plugin_report.h"

namespace caracal::pipeline {
namespace {

struct ValidateArguments {
  ConfigArguments config;
  ConformanceRequest plugin;  ///< its path empty = validate the configuration
  std::string format = "text";
  bool deny_warnings = false;
};

void PrintSummary(const std::string& path, const LoadedConfig& loaded) {
  size_t rules = 0;
  for (const LoadedRuleset& ruleset : loaded.rulesets) rules += ruleset.spec.rules.size();
  fmt::print("{}: ok; streams: {}, rulesets: {}, rules: {}\n", path, loaded.streams.size(),
             loaded.rulesets.size(), rules);
}

int RunValidate(const ValidateArguments& arguments, const agents::AgentRegistry& registry) {
  const LoadResult result = LoadFromDisk(arguments.config, registry);
  const DiagnosticFormat format =
      ParseDiagnosticFormat(arguments.format).value_or(DiagnosticFormat::kText);
  const bool is_text = format == DiagnosticFormat::kText;
  fmt::print(is_text ? stderr : stdout, "{}", FormatDiagnostics(result.diagnostics, format));
  if (!result.config.has_value()) return kExitConfig;
  if (is_text) PrintSummary(arguments.config.path, *result.config);
  return arguments.deny_warnings && result.diagnostics.warnings() > 0 ? kExitFindings : kExitOk;
}

int RunPlugin(const ValidateArguments& arguments) {
  const ConformanceReport report = CheckPlugin(arguments.plugin);
  fmt::print("{}", arguments.format == "json" ? PluginReportJson(arguments.plugin.path, report)
                                              : PluginReportText(arguments.plugin.path, report));
  return report.passed() ? kExitOk : kExitFindings;
}

void AddPluginOptions(CLI::App& command, ConformanceRequest& plugin) {
  CLI::Option* path =
      command
          .add_option("--plugin", plugin.path,
                      "Try a plugin out instead: load it, and have it judge hostile transactions")
          ->type_name("FILE");
  command
      .add_option("--params", plugin.parameters,
                  "Parameters of its rule, as in a rule file: \"max: 20, window: 60s\"")
      ->needs(path)
      ->type_name("YAML");
  command
      .add_option("--feature", plugin.features,
                  "A value of an earlier rule that the parameters name; may be repeated")
      ->needs(path)
      ->type_name("RULE.VALUE")
      ->allow_extra_args(false);
  command.add_option("--events", plugin.events, "Transactions to try it with")
      ->needs(path)
      ->check(CLI::Range(size_t{1}, size_t{1'000'000}))
      ->capture_default_str();
  command.add_option("--timeout", plugin.timeout_s, "Longest time for one check, in seconds")
      ->needs(path)
      ->check(CLI::Range(1U, 3'600U))
      ->capture_default_str();
  command.add_option("--seed", plugin.seed, "Other seeds make other transactions")
      ->needs(path)
      ->capture_default_str();
}

}  // namespace

void AddValidateCommand(CLI::App& app, const agents::AgentRegistry& registry,
                        CommandResult& result) {
  auto arguments = std::make_shared<ValidateArguments>();
  CLI::App* command =
      app.add_subcommand("validate", "Check a configuration and its rules, or a plugin, offline");
  AddConfigOptions(*command, arguments->config);
  command->add_option("--format", arguments->format, "Form of the findings")
      ->check(CLI::IsMember({"text", "json", "github"}))
      ->capture_default_str();
  AddPluginOptions(*command, arguments->plugin);
  command->add_flag("--deny-warnings", arguments->deny_warnings, "Exit with 1 on warnings");
  command->footer(
      "Examples:\n"
      "  caracal validate -c deploy/examples/caracal.yaml\n"
      "  caracal validate --plugin ./busy.so --params 'max: 20'");
  command->callback([arguments, &registry, &result] {
    result.exit_code =
        arguments->plugin.path.empty() ? RunValidate(*arguments, registry) : RunPlugin(*arguments);
  });
}

}  // namespace caracal::pipeline
