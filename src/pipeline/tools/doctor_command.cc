#include "pipeline/tools/doctor_command.h"

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/json_string.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/kafka/topic_admin.h"
#include "pipeline/tools/config_arguments.h"
#include "pipeline/tools/kafka_checks.h"
#include "pipeline/tools/kafka_survey.h"

namespace caracal::pipeline {
namespace {

struct DoctorArguments {
  ConfigArguments config;
  std::string format = "text";
};

std::string_view OutcomeName(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::kGood:
      return "ok";
    case CheckOutcome::kWarning:
      return "warning";
    case CheckOutcome::kProblem:
      return "problem";
    case CheckOutcome::kMissing:
      return "missing";
  }
  return "";
}

void PrintText(const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    fmt::print("{:<8} {}: {}\n", OutcomeName(check.outcome), check.subject, check.text);
    if (!check.fix.empty()) fmt::print("{:<8} fix: {}\n", "", check.fix);
  }
}

void PrintJson(const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    fmt::print("{{\"outcome\":{},\"subject\":{},\"text\":{},\"fix\":{}}}\n",
               JsonString(OutcomeName(check.outcome)), JsonString(check.subject),
               JsonString(check.text), JsonString(check.fix));
  }
}

/// A warning alone is no reason to stop a deployment.
int ExitCodeOf(const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    if (check.outcome == CheckOutcome::kProblem || check.outcome == CheckOutcome::kMissing) {
      return kExitFindings;
    }
  }
  return kExitOk;
}

int Fail(const absl::Status& status) {
  fmt::print(stderr, "caracal doctor: {}\n", agents::MessageOf(status));
  return absl::IsUnavailable(status) ? kExitUnavailable : kExitConfig;
}

int RunDoctor(const DoctorArguments& arguments, const agents::AgentRegistry& registry) {
  const LoadResult result = LoadFromDisk(arguments.config, registry);
  if (!PrintFindings(result)) return kExitConfig;
  const LoadedConfig& loaded = *result.config;
  absl::StatusOr<std::unique_ptr<TopicAdmin>> admin =
      TopicAdmin::Create(ConnectionFromConfig(loaded));
  if (!admin.ok()) return Fail(admin.status());
  const absl::Status reached = (*admin)->AwaitBroker([](const std::string& reason) {
    fmt::print(stderr, "caracal doctor: {}; trying for ten seconds\n", reason);
  });
  if (!reached.ok()) return Fail(reached);
  KafkaFacts kafka = SurveyTopics(loaded, **admin);
  SurveyRights(loaded, kafka);
  std::vector<Check> checks = CheckKafka(loaded, kafka);
  checks.push_back(CheckMemory(loaded));
  arguments.format == "json" ? PrintJson(checks) : PrintText(checks);
  return ExitCodeOf(checks);
}

}  // namespace

void AddDoctorCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result) {
  auto arguments = std::make_shared<DoctorArguments>();
  CLI::App* command = app.add_subcommand(
      "doctor", "Check brokers, topics, rights and memory, and say how to mend them");
  AddConfigOptions(*command, arguments->config);
  command->add_option("--format", arguments->format, "How the checks are printed")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Changes nothing. Exit 0: ok, or warnings only; 1: something is missing or breaks a "
      "guarantee, and `caracal run` waits or refuses; 69: no broker answers.\n\n"
      "Examples:\n"
      "  caracal doctor -c caracal.yaml\n"
      "  caracal doctor -c caracal.yaml --format json");
  command->callback(
      [arguments, &registry, &result] { result.exit_code = RunDoctor(*arguments, registry); });
}

}  // namespace caracal::pipeline
