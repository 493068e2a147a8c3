#include "pipeline/tools/resume_command.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/control/admin_client.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(5);

struct ResumeArguments {
  std::string topic;
  std::optional<int32_t> partition;
  std::string admin = "127.0.0.1:9464";
};

int RunResume(const ResumeArguments& arguments) {
  std::string target = fmt::format("/resume?topic={}", arguments.topic);
  if (arguments.partition.has_value()) target += fmt::format("&partition={}", *arguments.partition);
  const absl::StatusOr<HttpReply> reply =
      SendAdminRequest("POST", arguments.admin, target, kTimeout);
  if (!reply.ok()) {
    fmt::print(stderr, "caracal resume: {}\n", agents::MessageOf(reply.status()));
    return absl::IsInvalidArgument(reply.status()) ? kExitUsage : kExitUnavailable;
  }
  fmt::print(reply->status == 200 ? stdout : stderr, "{}", reply->body);
  return reply->status == 200 ? kExitOk : kExitFindings;
}

}  // namespace

void AddResumeCommand(CLI::App& app, CommandResult& result) {
  auto arguments = std::make_shared<ResumeArguments>();
  CLI::App* command =
      app.add_subcommand("resume", "Let a partition go on that a storm of rejects has paused");
  command->add_option("--topic", arguments->topic, "Source topic")->type_name("TOPIC")->required();
  command->add_option("--partition", arguments->partition,
                      "Partition; all paused ones unless given");
  command->add_option("--admin", arguments->admin, "Admin listener of the instance that owns it")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command->footer(
      "Asks the running instance; `caracal_partitions_paused` and /status tell which one it is.\n\n"
      "Examples:\n"
      "  caracal resume --topic bank.public.transactions --partition 3\n"
      "  caracal resume --topic bank.public.transactions --admin 127.0.0.1:9465");
  command->callback([arguments, &result] { result.exit_code = RunResume(*arguments); });
}

}  // namespace caracal::pipeline
