#include "pipeline/tools/start_checks.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/kafka/topic_admin.h"
#include "pipeline/tools/kafka_checks.h"
#include "pipeline/tools/kafka_survey.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(1);
constexpr int kTriesPerLine = 10;

/// OK once a broker has answered or `stopping` is true.
absl::Status AwaitAnyBroker(TopicAdmin& admin, const std::function<bool()>& stopping) {
  for (int tries = 0; !stopping(); ++tries) {
    const absl::Status reached = admin.AwaitBroker(/*still_trying=*/{}, kPatience);
    if (!absl::IsUnavailable(reached)) return reached;
    if (tries % kTriesPerLine != 0) continue;
    LOG(kWarning, "engine", "no broker can be reached, trying again before the group is joined",
        {{"reason", agents::MessageOf(reached)}});
  }
  return absl::OkStatus();
}

/// Logs the warnings; the problems as one sentence each.
std::string TellFindings(const std::vector<Check>& checks) {
  std::string problems;
  for (const Check& check : checks) {
    if (check.outcome == CheckOutcome::kWarning) {
      LOG(kWarning, "engine", fmt::format("{} {}", check.subject, check.text),
          {{"fix", check.fix}});
    } else if (check.outcome == CheckOutcome::kProblem) {
      problems += fmt::format("{}{} {} (fix: {})", problems.empty() ? "" : "; ", check.subject,
                              check.text, check.fix);
    }
  }
  return problems;
}

}  // namespace

absl::Status CheckBeforeStart(const LoadedConfig& loaded, const std::function<bool()>& stopping) {
  ASSIGN_OR_RETURN(const std::unique_ptr<TopicAdmin> admin,
                   TopicAdmin::Create(ConnectionFromConfig(loaded)));
  RETURN_IF_ERROR(AwaitAnyBroker(*admin, stopping));
  if (stopping()) return absl::OkStatus();
  const std::string problems = TellFindings(CheckKafka(loaded, SurveyTopics(loaded, *admin)));
  if (problems.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}. `caracal doctor` shows all checks", problems));
}

}  // namespace caracal::pipeline
