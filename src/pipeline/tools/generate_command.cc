#include "pipeline/tools/generate_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/generate/generate_plan.h"
#include "pipeline/generate/progress_line.h"
#include "pipeline/generate/table_text.h"
#include "pipeline/tools/agent_project.h"

namespace caracal::pipeline {
namespace {

std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

void RequestStop(int /*signal*/) { g_stop.store(true, std::memory_order_relaxed); }

/// Lets INT and TERM end the load cleanly, a second one at once, and a vanished reader be an error
/// of write() instead of a signal; puts the old handlers back. Main thread only.
class SignalScope {
 public:
  SignalScope() {
    g_stop.store(false);
    struct sigaction stop = {};
    stop.sa_handler = &RequestStop;
    stop.sa_flags = SA_RESETHAND;
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &stop, &saved_[0]);
    sigaction(SIGTERM, &stop, &saved_[1]);
    sigaction(SIGPIPE, &ignore, &saved_[2]);
  }
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
  ~SignalScope() {
    sigaction(SIGINT, &saved_[0], nullptr);
    sigaction(SIGTERM, &saved_[1], nullptr);
    sigaction(SIGPIPE, &saved_[2], nullptr);
  }

 private:
  std::array<struct sigaction, 3> saved_;
};

int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  if (absl::IsInvalidArgument(status) || absl::IsNotFound(status)) return kExitUsage;
  return absl::IsUnavailable(status) ? kExitUnavailable : kExitIo;
}

int Fail(const absl::Status& status, uint64_t records) {
  const std::string after = records == 0 ? "" : fmt::format(" (after {} records)", records);
  fmt::print(stderr, "caracal generate: {}{}\n", agents::MessageOf(status), after);
  return ExitCodeOf(status);
}

std::function<void(const LoadProgress&)> ProgressPrinter(const GenerateArguments& arguments,
                                                         const LoadLimits& limits) {
  if (arguments.no_progress || isatty(STDERR_FILENO) == 0) return {};
  return [limits, previous = LoadProgress()](const LoadProgress& now) mutable {
    constexpr int64_t kRefreshUs = 500'000;
    if (now.elapsed_us - previous.elapsed_us < kRefreshUs) return;
    fmt::print(stderr, "\r\033[K{}", FormatProgress(previous, now, limits));
    previous = now;
  };
}

int RunGenerate(const GenerateArguments& arguments) {
  const SignalScope signals;
  SystemPacingClock clock;
  absl::StatusOr<GeneratePlan> plan = MakeGeneratePlan(arguments, clock.WallMillis() * 1000);
  if (!plan.ok()) return Fail(plan.status(), 0);
  plan->kafka.still_trying = [](const std::string& reason) {
    fmt::print(stderr, "caracal generate: {}; trying for ten seconds\n", reason);
  };
  if (plan->sink == SinkChoice::kPrintTable) {
    fmt::print("{}", CreateTableSql(plan->generator.profile, QuotedTable(plan->postgres.table)));
    return kExitOk;
  }
  auto on_progress = ProgressPrinter(arguments, plan->limits);
  const bool live = static_cast<bool>(on_progress);
  const GenerateOutcome outcome = RunGeneratePlan(*plan, clock, g_stop, std::move(on_progress));
  if (live) fmt::print(stderr, "\r\033[K");
  if (!outcome.status.ok()) return Fail(outcome.status, outcome.records);
  fmt::print(stderr, "{}\n", outcome.summary);
  return kExitOk;
}

void AddLoadOptions(CLI::App& command, GenerateArguments& arguments) {
  const std::string group = "Load";
  command.add_option("--profile", arguments.profile, "What kind of payments")
      ->type_name("{cards,reference}")
      ->capture_default_str()
      ->group(group);
  command.add_option("--seed", arguments.seed, "Equal seed and options give equal bytes")
      ->capture_default_str()
      ->group(group);
  command.add_option("--first-id", arguments.first_id, "id of the first row")
      ->capture_default_str()
      ->group(group);
  command.add_option("--count", arguments.count, "Stop after so many records")->group(group);
  command.add_option("--duration", arguments.duration, "Stop after this time, such as 30s")
      ->type_name("DURATION")
      ->group(group);
  command
      .add_option("--rate", arguments.rate,
                  "Records per second, open loop; without it, as fast as possible")
      ->group(group);
  command
      .add_option("--event-rate", arguments.event_rate,
                  "Rows per second of event time [cards 100, reference 2000]")
      ->group(group);
  command
      .add_option("--start-time", arguments.start_time,
                  "First event time, RFC 3339 [2026-01-05T09:00:00Z]")
      ->type_name("TIME")
      ->group(group);
  command.add_flag("--realtime", arguments.realtime, "Event time is now; needs --rate")
      ->group(group);
  command.add_flag("--steady", arguments.steady, "Event rate does not follow the hour of the day")
      ->group(group);
}

void AddCardsOptions(CLI::App& command, GenerateArguments& arguments) {
  const std::string group = "Profile cards";
  command.add_option("--accounts", arguments.accounts, "Accounts [100000]")->group(group);
  command.add_option("--zipf", arguments.zipf, "Zipf exponent over accounts, 0 = uniform [0.8]")
      ->group(group);
  command.add_option("--merchants", arguments.merchants, "Merchants [5000]")->group(group);
  command.add_option("--burst-rate", arguments.burst_rate, "Planted bursts per payment [0.0001]")
      ->group(group);
  command
      .add_option("--big-ticket-rate", arguments.big_ticket_rate,
                  "Planted big tickets per payment [0.0001]")
      ->group(group);
  command
      .add_option("--travel-rate", arguments.travel_rate,
                  "Planted impossible journeys per payment [0.0001]")
      ->group(group);
  command.add_option("--currency", arguments.currency, "ISO 4217 code of every row")
      ->capture_default_str()
      ->group(group);
}

void AddNoiseOptions(CLI::App& command, GenerateArguments& arguments) {
  const std::string group = "Noise (shares of all arrivals)";
  command.add_option("--late", arguments.late, "Payments sent late and out of order")->group(group);
  command.add_option("--late-max", arguments.late_max, "Longest delay")
      ->type_name("DURATION")
      ->capture_default_str()
      ->group(group);
  command.add_option("--duplicates", arguments.duplicates, "Re-delivered rows")->group(group);
  command.add_option("--updates", arguments.updates, "Updates of recent rows (op u)")->group(group);
  command.add_option("--deletes", arguments.deletes, "Deletes (op d) and their tombstones")
      ->group(group);
  command.add_option("--resnapshots", arguments.resnapshots, "Recent rows read again (op r)")
      ->group(group);
  command.add_option("--malformed", arguments.malformed, "Records that are no transaction")
      ->group(group);
  command
      .add_option("--snapshot-rows", arguments.snapshot_rows,
                  "So many rows come first, as an initial snapshot (op r)")
      ->group(group);
}

void AddMessageOptions(CLI::App& command, GenerateArguments& arguments) {
  const std::string group = "Messages";
  command
      .add_option("--format", arguments.format,
                  "Envelope with its schema, the envelope alone, or the row alone")
      ->type_name("{wrapped,bare,flat}")
      ->capture_default_str()
      ->group(group);
  command.add_option("--decimals", arguments.decimals, "How amounts are written")
      ->type_name("{string,base64,double}")
      ->capture_default_str()
      ->group(group);
  command.add_option("--key", arguments.key, "Column that keys the records")
      ->type_name("{account,id}")
      ->capture_default_str()
      ->group(group);
  command.add_option("--source-name", arguments.source_name, "The connector's topic.prefix")
      ->capture_default_str()
      ->group(group);
  command.add_option("--database", arguments.database, "Database named in the messages")
      ->capture_default_str()
      ->group(group);
  command.add_option("--table", arguments.table, "Table the rows belong to")
      ->type_name("SCHEMA.TABLE")
      ->capture_default_str()
      ->group(group);
}

void AddSinkOptions(CLI::App& command, GenerateArguments& arguments) {
  const std::string group = "Where to";
  command.add_option("--output", arguments.output, "File; - is standard output")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--output-format", arguments.output_format, "Values alone, or whole records")
      ->type_name("{ndjson,kcat-json}")
      ->capture_default_str()
      ->group(group);
  command.add_option("--partitions", arguments.partitions, "Partitions in kcat-json [6]")
      ->group(group);
  command.add_option("--brokers", arguments.brokers, "Kafka bootstrap servers")
      ->type_name("ADDRESSES")
      ->group(group);
  command.add_option("--topic", arguments.topic, "Topic [SOURCE-NAME.TABLE]")
      ->type_name("TOPIC")
      ->group(group);
  command
      .add_option("--partition", arguments.partition, "One partition for all, instead of by key")
      ->group(group);
  command
      .add_option("--kafka-property", arguments.kafka_properties,
                  "librdkafka property; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--record-time", arguments.record_time, "Kafka timestamps")
      ->type_name("{now,event}")
      ->capture_default_str()
      ->group(group);
  command.add_option("--postgres", arguments.postgres, "PostgreSQL connection string")
      ->type_name("CONNINFO")
      ->group(group);
  command
      .add_flag("--create-table", arguments.create_table,
                "Create the table first; without --postgres, print its SQL")
      ->group(group);
  command.add_option("--labels", arguments.labels, "Ground truth as JSON lines")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--places", arguments.places, "Merchants and coordinates as CSV")
      ->type_name("FILE")
      ->group(group);
  command.add_flag("--no-progress", arguments.no_progress, "No progress line")->group(group);
}

constexpr const char* kExamples =
    "Examples:\n"
    "  caracal generate --count 100000 --output events.ndjson --labels labels.ndjson\n"
    "  caracal generate --create-table --profile reference\n"
    "  caracal generate agent card-burst";

struct AgentArguments {
  std::string name;
  std::string language = "cpp";
  std::string directory;
};

int RunGenerateAgent(const AgentArguments& arguments) {
  const std::string directory = arguments.directory.empty() ? arguments.name : arguments.directory;
  const AgentLanguage language =
      arguments.language == "c" ? AgentLanguage::kC : AgentLanguage::kCpp;
  const auto files = AgentProject(arguments.name, language);
  const absl::Status status = files.ok() ? WriteProject(directory, *files) : files.status();
  if (!status.ok()) {
    fmt::print(stderr, "caracal generate agent: {}\n", agents::MessageOf(status));
    return absl::IsUnavailable(status) ? kExitIo : kExitUsage;
  }
  for (const ProjectFile& file : *files) fmt::print("{}/{}\n", directory, file.name);
  return kExitOk;
}

void AddGenerateAgent(CLI::App& generate, CommandResult& result) {
  CLI::App* const command =
      generate.add_subcommand("agent", "Write the project of a new agent, with a test");
  auto arguments = std::make_shared<AgentArguments>();
  command->add_option("NAME", arguments->name, "What rules will call it")
      ->type_name("NAME")
      ->required();
  command->add_option("--language", arguments->language, "What it is written in")
      ->check(CLI::IsMember({"c", "cpp"}))
      ->capture_default_str();
  command->add_option("--directory", arguments->directory, "Directory to make [NAME]")
      ->type_name("DIR");
  command->footer(
      "Examples:\n"
      "  caracal generate agent card-burst\n"
      "  caracal generate agent card-burst --language c --directory src/card-burst");
  command->callback([arguments, &result] { result.exit_code = RunGenerateAgent(*arguments); });
}

}  // namespace

void AddGenerateCommand(CLI::App& app, CommandResult& result) {
  CLI::App* const command = app.add_subcommand(
      "generate", "Make a load of change events, with planted and labelled fraud, or an agent");
  auto arguments = std::make_shared<GenerateArguments>();
  AddLoadOptions(*command, *arguments);
  AddCardsOptions(*command, *arguments);
  AddNoiseOptions(*command, *arguments);
  AddMessageOptions(*command, *arguments);
  AddSinkOptions(*command, *arguments);
  command->footer(kExamples);
  AddGenerateAgent(*command, result);
  command->callback([arguments, command, &result] {
    if (command->get_subcommands().empty()) result.exit_code = RunGenerate(*arguments);
  });
}

}  // namespace caracal::pipeline
