#include "pipeline/tools/start_checks.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/kafka/group_members.h"
#include "pipeline/kafka/topic_admin.h"
#include "pipeline/tools/kafka_checks.h"
#include "pipeline/tools/kafka_survey.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(1);
constexpr int kTriesPerLine = 10;
constexpr absl::Duration kTwinPause = absl::Milliseconds(250);
// Beyond the session: the coordinator looks at it now and then only.
constexpr absl::Duration kTwinGrace = absl::Seconds(5);

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

/// Logs the warnings and what is missing; the problems as one sentence each.
std::string TellFindings(const std::vector<Check>& checks) {
  std::string problems;
  for (const Check& check : checks) {
    if (check.outcome == CheckOutcome::kWarning) {
      LOG(kWarning, "engine", fmt::format("{} {}", check.subject, check.text),
          {{"fix", check.fix}});
    } else if (check.outcome == CheckOutcome::kMissing) {
      LOG(kWarning, "engine",
          fmt::format(
              "{} {}. When it is there, nobody looks at its settings before the next start, "
              "but for `caracal doctor`",
              check.subject, check.text),
          {{"fix", check.fix}});
    } else if (check.outcome == CheckOutcome::kProblem) {
      problems += fmt::format("{}{} {} (fix: {})", problems.empty() ? "" : "; ", check.subject,
                              check.text, check.fix);
    }
  }
  return problems;
}

/// How long a member that died stays in the group.
absl::StatusOr<absl::Duration> SessionTimeout(const SourceOptions& source) {
  ASSIGN_OR_RETURN(const KafkaConf conf, MakeConsumerConf(source));
  std::array<char, 32> text = {};
  size_t size = text.size();
  CHECK(rd_kafka_conf_get(conf.get(), "session.timeout.ms", text.data(), &size) ==
        RD_KAFKA_CONF_OK);
  return absl::Milliseconds(std::strtoll(text.data(), nullptr, 10));
}

/// Unavailable = not known, no broker answered.
absl::StatusOr<bool> HasMember(rd_kafka_t* client, const SourceOptions& source) {
  ASSIGN_OR_RETURN(const std::vector<std::string> members, GroupMembers(client, source.group_id));
  return std::find(members.begin(), members.end(), source.connection.client_id) != members.end();
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

absl::Status AwaitTwin(const SourceOptions& source, const std::string& instance_id,
                       const std::function<bool()>& stopping) {
  if (instance_id.empty() || !source.group_instance_id.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const absl::Duration session, SessionTimeout(source));
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(source.connection, {}, {}));
  ASSIGN_OR_RETURN(const KafkaClient client, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  const absl::Time deadline = absl::Now() + session + kTwinGrace;
  for (bool told = false; !stopping(); absl::SleepFor(kTwinPause)) {
    const absl::StatusOr<bool> twin = HasMember(client.get(), source);
    if (!twin.ok() && !absl::IsUnavailable(twin.status())) return twin.status();
    if (twin.ok() && !*twin) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      if (!twin.ok()) return twin.status();
      return absl::FailedPreconditionError(
          fmt::format("group '{}' has a member with instance_id '{}': stop that process, or give "
                      "this one another instance_id",
                      source.group_id, instance_id));
    }
    if (!std::exchange(told, true)) {
      LOG(kWarning, "engine",
          "the group has a member with this instance_id, waiting for it to leave or, if it died, "
          "for the end of its session",
          {{"instance_id", instance_id},
           {"at_most", absl::FormatDuration(deadline - absl::Now())}});
    }
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
