#include "pipeline/tools/validate_command.h"

#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "pipeline/config/diagnostics_format.h"
#include "pipeline/tools/config_arguments.h"

namespace caracal::pipeline {
namespace {

struct ValidateArguments {
  ConfigArguments config;
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

}  // namespace

void AddValidateCommand(CLI::App& app, const agents::AgentRegistry& registry,
                        CommandResult& result) {
  auto arguments = std::make_shared<ValidateArguments>();
  CLI::App* command =
      app.add_subcommand("validate", "Check a configuration and its rules, offline");
  AddConfigOptions(*command, arguments->config);
  command->add_option("--format", arguments->format, "Form of the findings")
      ->check(CLI::IsMember({"text", "json", "github"}))
      ->capture_default_str();
  command->add_flag("--deny-warnings", arguments->deny_warnings, "Exit with 1 on warnings");
  command->footer(
      "Examples:\n"
      "  caracal validate -c deploy/examples/caracal.yaml\n"
      "  caracal validate -c deploy/examples/caracal.yaml --deny-warnings");
  command->callback(
      [arguments, &registry, &result] { result.exit_code = RunValidate(*arguments, registry); });
}

}  // namespace caracal::pipeline
