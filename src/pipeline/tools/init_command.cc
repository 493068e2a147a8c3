#include "pipeline/tools/init_command.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/kafka/topic_admin.h"
#include "pipeline/tools/config_arguments.h"
#include "pipeline/tools/state_topic_settings.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kDeadLetterSlackBytes = 64 * 1024;
constexpr int64_t kDefaultMaxMessageBytes = 1'048'588;

struct InitArguments {
  ConfigArguments config;
  bool print = false;
  int32_t replication = -1;
  int32_t partitions = 0;
};

/// A topic as it must be, and which of its settings a wrong value would break.
struct PlannedTopic {
  TopicSpec spec;
  std::string purpose;
};

std::string CountOf(int32_t partitions) {
  return fmt::format("{} partition{}", partitions, partitions == 1 ? "" : "s");
}

struct SourceTopicFacts {
  int32_t partitions = 0;
  int64_t max_message_bytes = kDefaultMaxMessageBytes;
};

absl::StatusOr<SourceTopicFacts> LookAt(TopicAdmin& admin, const std::string& topic,
                                        int32_t assumed_partitions) {
  ASSIGN_OR_RETURN(const std::optional<int32_t> partitions, admin.PartitionCount(topic));
  SourceTopicFacts facts;
  if (!partitions.has_value()) {
    if (assumed_partitions == 0) {
      return absl::NotFoundError(
          fmt::format("source topic '{}' does not exist yet: start the connector first, or say how "
                      "many partitions it "
                      "will have with --partitions N",
                      topic));
    }
    facts.partitions = assumed_partitions;
    return facts;
  }
  facts.partitions = *partitions;
  if (assumed_partitions != 0 && assumed_partitions != *partitions) {
    fmt::print(stderr,
               "caracal init: source topic '{}' exists and has {}: --partitions {} is not used\n",
               topic, CountOf(*partitions), assumed_partitions);
  }
  ASSIGN_OR_RETURN(const auto config, admin.DescribeConfig(topic));
  if (const auto it = config.find("max.message.bytes"); it != config.end()) {
    std::from_chars(it->second.data(), it->second.data() + it->second.size(),
                    facts.max_message_bytes);
  }
  return facts;
}

std::vector<PlannedTopic> Plan(const LoadedConfig& loaded,
                               const std::vector<SourceTopicFacts>& sources, int32_t replication) {
  int32_t partitions = 1;
  int64_t max_bytes = kDefaultMaxMessageBytes;
  for (const SourceTopicFacts& source : sources) {
    partitions = std::max(partitions, source.partitions);
    max_bytes = std::max(max_bytes, source.max_message_bytes);
  }
  std::vector<PlannedTopic> plan;
  plan.push_back({{loaded.config.alerts().topic(), partitions, replication, {}}, "alerts"});
  plan.push_back({{loaded.config.dead_letters().topic(),
                   partitions,
                   replication,
                   {{"max.message.bytes", fmt::to_string(max_bytes + kDeadLetterSlackBytes)}}},
                  "dead letters"});
  for (int i = 0; i < loaded.config.streams_size(); ++i) {
    plan.push_back({{loaded.config.streams(i).state_topic(),
                     sources[static_cast<size_t>(i)].partitions, replication, StateTopicSettings()},
                    fmt::format("state of {}", loaded.config.streams(i).topic())});
  }
  return plan;
}

void PrintCommand(const PlannedTopic& topic, const std::string& brokers) {
  std::string line = fmt::format(
      "kafka-topics.sh --bootstrap-server {} --create --if-not-exists --topic {} "
      "--partitions {}",
      brokers, topic.spec.name, topic.spec.partitions);
  if (topic.spec.replication > 0) {
    line += fmt::format(" --replication-factor {}", topic.spec.replication);
  }
  for (const auto& [name, value] : topic.spec.config) {
    line += fmt::format(" --config {}={}", name, value);
  }
  fmt::print("# {}\n{}\n", topic.purpose, line);
}

/// What differs between an existing topic and the plan, a sentence each.
absl::StatusOr<std::vector<std::string>> Differences(TopicAdmin& admin, const PlannedTopic& topic,
                                                     int32_t partitions,
                                                     const std::string& brokers) {
  std::vector<std::string> differences;
  const bool state = topic.spec.config.contains("cleanup.policy");
  if (state ? partitions != topic.spec.partitions : partitions < 1) {
    differences.push_back(
        fmt::format("has {}, must have {}, as many as its source topic: stop the engine, delete "
                    "the topic and run init again (state is rebuilt from the source)",
                    CountOf(partitions), topic.spec.partitions));
  }
  ASSIGN_OR_RETURN(const auto config, admin.DescribeConfig(topic.spec.name));
  for (const auto& [name, wanted] : topic.spec.config) {
    const auto it = config.find(name);
    if (it == config.end() || it->second == wanted) continue;
    if (name == "max.message.bytes" && std::strtoll(it->second.c_str(), nullptr, 10) >=
                                           std::strtoll(wanted.c_str(), nullptr, 10)) {
      continue;
    }
    differences.push_back(
        fmt::format("{} is {}, should be {}: kafka-configs.sh --bootstrap-server {} --alter "
                    "--entity-type topics --entity-name {} --add-config {}={}",
                    name, it->second, wanted, brokers, topic.spec.name, name, wanted));
  }
  return differences;
}

/// True when the topic is as it should be now.
absl::StatusOr<bool> Ensure(TopicAdmin& admin, const PlannedTopic& topic,
                            const std::string& brokers) {
  ASSIGN_OR_RETURN(const std::optional<int32_t> partitions, admin.PartitionCount(topic.spec.name));
  if (!partitions.has_value()) {
    const absl::Status created = admin.CreateTopic(topic.spec);
    if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
    fmt::print("created  {}  ({}, {})\n", topic.spec.name, topic.purpose,
               CountOf(topic.spec.partitions));
    return true;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> differences,
                   Differences(admin, topic, *partitions, brokers));
  if (differences.empty()) {
    fmt::print("exists   {}  ({}, {})\n", topic.spec.name, topic.purpose, CountOf(*partitions));
    return true;
  }
  for (const std::string& difference : differences) {
    fmt::print("differs  {}  ({}): {}\n", topic.spec.name, topic.purpose, difference);
  }
  return false;
}

int Fail(const absl::Status& status) {
  fmt::print(stderr, "caracal init: {}\n", agents::MessageOf(status));
  if (absl::IsPermissionDenied(status)) {
    fmt::print(stderr,
               "Ask an administrator to run the commands that `caracal init --print` shows.\n");
  }
  return absl::IsUnavailable(status) ? kExitUnavailable : kExitConfig;
}

absl::StatusOr<std::vector<SourceTopicFacts>> LookAtSources(TopicAdmin& admin,
                                                            const LoadedConfig& loaded,
                                                            int32_t assumed_partitions) {
  RETURN_IF_ERROR(admin.AwaitBroker([](const std::string& reason) {
    fmt::print(stderr, "caracal init: {}; trying for ten seconds\n", reason);
  }));
  std::vector<SourceTopicFacts> sources;
  for (const auto& stream : loaded.config.streams()) {
    ASSIGN_OR_RETURN(const SourceTopicFacts facts,
                     LookAt(admin, stream.topic(), assumed_partitions));
    sources.push_back(facts);
  }
  return sources;
}

/// True when every topic is as it should be now.
absl::StatusOr<bool> EnsureAll(TopicAdmin& admin, const std::vector<PlannedTopic>& plan,
                               const std::string& brokers) {
  bool all_good = true;
  for (const PlannedTopic& topic : plan) {
    ASSIGN_OR_RETURN(const bool good, Ensure(admin, topic, brokers));
    all_good = all_good && good;
  }
  return all_good;
}

int RunInit(const InitArguments& arguments, const agents::AgentRegistry& registry) {
  const LoadResult result = LoadFromDisk(arguments.config, registry);
  if (!PrintFindings(result)) return kExitConfig;
  const LoadedConfig& loaded = *result.config;
  const KafkaConnection connection = ConnectionFromConfig(loaded);
  absl::StatusOr<std::unique_ptr<TopicAdmin>> admin = TopicAdmin::Create(connection);
  if (!admin.ok()) return Fail(admin.status());
  // To print what is known already, no broker is needed.
  const bool offline = arguments.print && arguments.partitions > 0;
  absl::StatusOr<std::vector<SourceTopicFacts>> sources =
      std::vector<SourceTopicFacts>(loaded.config.streams().size(), {arguments.partitions});
  if (!offline) sources = LookAtSources(**admin, loaded, arguments.partitions);
  if (!sources.ok()) return Fail(sources.status());
  const std::vector<PlannedTopic> plan = Plan(loaded, *sources, arguments.replication);
  if (arguments.print) {
    for (const PlannedTopic& topic : plan) PrintCommand(topic, connection.bootstrap_servers);
    return kExitOk;
  }
  const absl::StatusOr<bool> good = EnsureAll(**admin, plan, connection.bootstrap_servers);
  if (!good.ok()) return Fail(good.status());
  return *good ? kExitOk : kExitFindings;
}

}  // namespace

void AddInitCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result) {
  auto arguments = std::make_shared<InitArguments>();
  CLI::App* command = app.add_subcommand(
      "init", "Create the alert, dead-letter and state topics, or print the commands that do");
  AddConfigOptions(*command, arguments->config);
  command->add_flag("--print", arguments->print,
                    "Print the kafka-topics commands for an administrator; change nothing");
  command
      ->add_option("--replication-factor", arguments->replication,
                   "Replicas of each topic; the broker's default unless given")
      ->check(CLI::Range(1, 32));
  command
      ->add_option("--partitions", arguments->partitions,
                   "Partitions of a source topic that does not exist yet; with --print, no broker "
                   "is asked")
      ->check(CLI::Range(1, 100'000));
  command->footer(
      "Existing topics are left as they are; what differs from the plan is reported (exit 1).\n\n"
      "Examples:\n"
      "  caracal init -c caracal.yaml\n"
      "  caracal init -c caracal.yaml --print --replication-factor 3");
  command->callback(
      [arguments, &registry, &result] { result.exit_code = RunInit(*arguments, registry); });
}

}  // namespace caracal::pipeline
