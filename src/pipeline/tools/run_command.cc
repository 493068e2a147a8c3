#include "pipeline/tools/run_command.h"

#include <unistd.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"
#include "pipeline/base/mutex.h"
#include "pipeline/control/admin_server.h"
#include "pipeline/engine/build_info.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/engine_monitor.h"
#include "pipeline/engine/metrics_catalog.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/engine/system_clock.h"
#include "pipeline/observe/log_line.h"
#include "pipeline/observe/process_collector.h"
#include "pipeline/observe/spdlog_sink.h"
#include "pipeline/tools/config_arguments.h"
#include "pipeline/tools/start_checks.h"
#include "pipeline/tools/stop_signals.h"

namespace caracal::pipeline {
namespace {

// Stopping ends for sure this long after shutdown_timeout: librdkafka may hang while it leaves a
// group.
constexpr absl::Duration kHardStopGrace = absl::Seconds(5);
// Two scrapes at the usual minute.
constexpr absl::Duration kTornAlarm = absl::Minutes(2);

/// Ends the process when stopping takes too long; what is not committed is judged again by the next
/// owner.
class StopWatchdog {
 public:
  ~StopWatchdog() { Disarm(); }
  void Disarm() {
    if (!thread_.joinable()) return;
    {
      MutexLock lock(&mutex_);
      done_ = true;
    }
    thread_.join();
  }
  void Arm(absl::Duration limit) {
    thread_ = std::thread([this, limit] {
      {
        MutexLock lock(&mutex_);
        const auto done = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return done_; };
        if (mutex_.AwaitFor(limit, done)) return;
      }
      fmt::print(stderr, "caracal: stopping took longer than {}, ending now\n",
                 absl::FormatDuration(limit));
      _exit(kExitInternal);
    });
  }

 private:
  Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

int Fail(const absl::Status& status) {
  LOG(kError, "engine", agents::MessageOf(status));
  return ExitCodeOfRun(status);
}

/// Whoever starts the process again is told first: nothing else of it survives its end but the log
/// and what Prometheus has seen. A signal ends the wait.
void LetTornAlarmBeHeard(const std::function<bool()>& stopping) {
  if (stopping()) return;
  LOG(kError, "engine",
      "nothing is judged here any more; metrics are answered for a while yet, so that the alarm "
      "CaracalTornTransaction is heard",
      {{"for", absl::FormatDuration(kTornAlarm)}, {"exit_code", static_cast<int>(kExitTorn)}});
  const absl::Time until = absl::Now() + kTornAlarm;
  while (!stopping() && absl::Now() < until) absl::SleepFor(absl::Milliseconds(100));
}

LogSinkOptions LogOptions(const caracal::config::v1::Logging& logging) {
  LogSinkOptions options;
  switch (logging.level()) {
    case caracal::config::v1::LOG_LEVEL_DEBUG:
      options.min_severity = LogSeverity::kDebug;
      break;
    case caracal::config::v1::LOG_LEVEL_WARNING:
      options.min_severity = LogSeverity::kWarning;
      break;
    case caracal::config::v1::LOG_LEVEL_ERROR:
      options.min_severity = LogSeverity::kError;
      break;
    default:
      options.min_severity = LogSeverity::kInfo;
      break;
  }
  switch (logging.format()) {
    case caracal::config::v1::LOG_FORMAT_JSON:
      options.format = LogFormat::kJson;
      break;
    case caracal::config::v1::LOG_FORMAT_TEXT:
      options.format = LogFormat::kHuman;
      break;
    default:
      options.format = LogFormat::kAuto;
      break;
  }
  return options;
}

std::vector<MetricRegistration> CountLogLines(MetricRegistry& metrics, const SpdlogSink& sink) {
  MetricFamily& family =
      metrics.Declare({.name = "caracal_log_messages_total",
                       .help = "Log lines written; a burst at one place is cut to five in 10 s.",
                       .type = MetricType::kCounter,
                       .labels = {"level"}});
  std::vector<MetricRegistration> registrations;
  for (const LogSeverity severity :
       {LogSeverity::kDebug, LogSeverity::kInfo, LogSeverity::kWarning, LogSeverity::kError}) {
    registrations.push_back(family.Add({std::string(LogSeverityName(severity))}, [&sink, severity] {
      return static_cast<double>(sink.lines(severity));
    }));
  }
  return registrations;
}

int RunService(const LoadedConfig& loaded) {
  // First of all: threads that follow must inherit the signal mask.
  std::atomic<Engine*> running{nullptr};
  StopSignals signals(
      [&running] {
        if (Engine* engine = running.load()) engine->RequestStop();
      },
      [] {
        LOG(kWarning, "engine",
            "HUP: this version takes a changed configuration at a restart only");
      });
  const SystemClock clock;
  SpdlogSink log_sink(clock, LogOptions(loaded.config.logging()));
  SetLogSink(&log_sink);
  absl::StatusOr<EngineOptions> options = OptionsFromConfig(loaded);
  if (!options.ok()) return Fail(options.status());
  if (const absl::Status armed = ArmFailpointsFromEnvironment(); !armed.ok()) return Fail(armed);
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Engine::Create(std::move(*options), *loaded.agents);
  if (!engine.ok()) return Fail(engine.status());

  MetricRegistry metrics;
  const ProcessCollector process(metrics);
  const MetricsCatalog catalog(metrics, **engine);
  const std::vector<MetricRegistration> log_lines = CountLogLines(metrics, log_sink);
  EngineMonitor monitor(**engine, metrics);
  AdminServer admin(monitor, {.listen = loaded.config.admin().listen()});
  if (const absl::Status started = admin.Start(); !started.ok()) return Fail(started);
  LOG(kInfo, "engine", "starting",
      {{"version", kVersion},
       {"group", (*engine)->options().source.group_id},
       {"workers", (*engine)->options().worker_threads},
       {"admin", loaded.config.admin().listen()}});

  const auto stopping = [&signals] { return signals.received() != 0; };
  if (const absl::Status safe = CheckBeforeStart(loaded, stopping); !safe.ok()) return Fail(safe);
  const EngineOptions& chosen = (*engine)->options();
  if (const absl::Status alone = AwaitTwin(chosen.source, chosen.instance_id, stopping);
      !alone.ok()) {
    return Fail(alone);
  }
  if (stopping()) return kExitOk;
  running.store(engine->get());
  if (signals.received() != 0) (*engine)->RequestStop();
  StopWatchdog watchdog;
  (*engine)->set_on_stopping([&watchdog, &engine] {
    watchdog.Arm((*engine)->options().shutdown_timeout + kHardStopGrace);
  });
  const absl::Status ended = (*engine)->Run();
  // A signal that has just come may still be telling the engine.
  signals.Disarm();
  const int code = ended.ok() ? kExitOk : Fail(ended);
  if (code == kExitTorn) {
    watchdog.Disarm();
    LetTornAlarmBeHeard(stopping);
  }
  admin.Stop();
  SetLogSink(nullptr);
  return code;
}

}  // namespace

ExitCode ExitCodeOfRun(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  if (absl::IsDataLoss(status)) return kExitTorn;
  // Stopping in time fails when the brokers do not take what is left.
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return kExitUnavailable;
  if (absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) ||
      absl::IsPermissionDenied(status) || absl::IsNotFound(status)) {
    return kExitConfig;
  }
  return kExitInternal;
}

void AddRunCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result) {
  auto config = std::make_shared<ConfigArguments>();
  CLI::App* command = app.add_subcommand("run", "Join the consumer group and judge transactions");
  AddConfigOptions(*command, *config);
  command->footer(
      "Stops on INT or TERM: commits what has been judged and leaves the group. A second one stops "
      "at once.\n\n"
      "Examples:\n"
      "  caracal run -c caracal.yaml\n"
      "  caracal run -c caracal.yaml --set admin.listen=127.0.0.1:9465");
  command->callback([config, &registry, &result] {
    const LoadResult loaded = LoadFromDisk(*config, registry);
    result.exit_code =
        PrintFindings(loaded) ? RunService(*loaded.config) : static_cast<int>(kExitConfig);
  });
}

}  // namespace caracal::pipeline
