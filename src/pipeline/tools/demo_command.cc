#include "pipeline/tools/demo_command.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/control/admin_address.h"
#include "pipeline/demo/demo.h"
#include "pipeline/demo/demo_screen.h"
#include "pipeline/engine/system_clock.h"
#include "pipeline/observe/spdlog_sink.h"
#include "pipeline/tools/stop_signals.h"

namespace caracal::pipeline {
namespace {

struct DemoArguments {
  std::string duration = "15s";
  double rate = 20'000;
  uint64_t count = 0;
  uint64_t seed = 1;
  bool serve = false;
  bool plain = false;
  std::string admin = "127.0.0.1:9464";
  std::string record;
};

/// Draws frames over each other on a terminal, prints a line every few seconds elsewhere; says
/// first where the admin paths are served, if they are.
class DemoView {
 public:
  DemoView(bool live, std::string served_at) : live_(live), served_at_(std::move(served_at)) {}

  void Show(const DemoFrame& frame) {
    if (!served_at_.empty()) {
      fmt::print(stderr, "Serving http://{}/metrics, /status and /readyz until Ctrl-C\n",
                 std::exchange(served_at_, ""));
    }
    if (!live_) {
      if (frame.joining && std::exchange(told_joining_, true)) return;
      if (!frame.joining && frame.elapsed_s - last_line_s_ < kLineEverySeconds) return;
      last_line_s_ = frame.elapsed_s;
      fmt::print(stderr, "{}", ProgressLine(frame));
      return;
    }
    const std::string table = LiveTable(frame);
    if (lines_ > 0) fmt::print(stderr, "\x1b[{}A", lines_);
    std::string clean;
    lines_ = 0;
    for (const char c : table) {
      if (c == '\n') {
        clean += "\x1b[K";
        ++lines_;
      }
      clean += c;
    }
    fmt::print(stderr, "{}", clean);
  }

 private:
  static constexpr double kLineEverySeconds = 3;

  const bool live_;
  std::string served_at_;
  bool told_joining_ = false;
  int lines_ = 0;
  double last_line_s_ = 0;
};

/// Whether stderr is a terminal that the table fits on; one that does not tell its size is trusted.
bool CanDrawTable() {
  if (isatty(STDERR_FILENO) != 1) return false;
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return true;
  return size.ws_row > kLiveTableLines && size.ws_col >= kLiveTableColumns;
}

/// InvalidArgument with a sentence that names the option.
absl::StatusOr<DemoOptions> OptionsFrom(const DemoArguments& arguments) {
  const absl::StatusOr<int64_t> duration = agents::ParseDuration(arguments.duration);
  if (!duration.ok()) {
    return absl::InvalidArgumentError("--duration: " + agents::MessageOf(duration.status()));
  }
  if (*duration <= 0) {
    return absl::InvalidArgumentError("--duration: '0s' is no time at all: write 15s or more");
  }
  if (const auto address = ParseAdminAddress(arguments.admin); !address.ok()) {
    return absl::InvalidArgumentError("--admin: " + agents::MessageOf(address.status()));
  }
  DemoOptions options;
  options.duration = absl::Microseconds(*duration);
  options.rate = arguments.rate;
  options.count = arguments.count;
  options.seed = arguments.seed;
  options.serve = arguments.serve;
  options.admin_listen = arguments.admin;
  options.record_folder = arguments.record;
  return options;
}

int Fail(const absl::Status& status) {
  fmt::print(stderr, "caracal demo: {}\n", agents::MessageOf(status));
  if (absl::IsInvalidArgument(status)) return kExitUsage;
  if (absl::IsUnavailable(status)) return kExitUnavailable;
  return absl::IsUnknown(status) ? kExitIo : kExitInternal;
}

int RunDemoCommand(const DemoArguments& arguments, const agents::AgentRegistry& registry) {
  const absl::StatusOr<DemoOptions> options = OptionsFrom(arguments);
  if (!options.ok()) return Fail(options.status());
  std::atomic<bool> stop{false};
  StopSignals signals([&stop] { stop.store(true); }, [] {});
  LogSinkOptions log_options;
  log_options.min_severity = LogSeverity::kError;
  const SystemClock clock;
  SpdlogSink log_sink(clock, log_options);
  SetLogSink(&log_sink);
  DemoView view(CanDrawTable() && !arguments.plain, arguments.serve ? arguments.admin : "");
  const absl::StatusOr<DemoResult> result = RunDemo(
      *options, registry, [&view](const DemoFrame& frame) { view.Show(frame); }, stop);
  SetLogSink(nullptr);
  if (!result.ok()) return Fail(result.status());
  fmt::print("{}", Summary(result->frame, options->seed, result->conserved));
  return result->conserved ? kExitOk : kExitInternal;
}

}  // namespace

void AddDemoCommand(CLI::App& app, const agents::AgentRegistry& registry, CommandResult& result) {
  auto arguments = std::make_shared<DemoArguments>();
  CLI::App* command = app.add_subcommand(
      "demo", "See it work: embedded broker, generated payments with planted fraud, live table");
  command->add_option("--duration", arguments->duration, "How long to produce")
      ->type_name("DURATION")
      ->capture_default_str();
  command
      ->add_option("--rate", arguments->rate, "Events per second; 0 = as fast as they are judged")
      ->capture_default_str();
  command->add_option("--count", arguments->count,
                      "Produce this many events instead of a duration");
  command->add_option("--seed", arguments->seed, "Seed of the load and its planted fraud")
      ->capture_default_str();
  command->add_flag("--serve", arguments->serve, "Serve metrics and status; run until Ctrl-C");
  command->add_option("--admin", arguments->admin, "Address to serve on")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command->add_flag("--plain", arguments->plain, "Lines instead of the live table");
  command
      ->add_option("--record", arguments->record,
                   "Keep configuration, records, planted fraud and alerts in this folder")
      ->type_name("FOLDER");
  command->footer(
      "Needs no broker, no network and no configuration.\n\n"
      "Examples:\n"
      "  caracal demo\n"
      "  caracal demo --duration 30s --rate 0 --seed 7");
  command->callback(
      [arguments, &registry, &result] { result.exit_code = RunDemoCommand(*arguments, registry); });
}

}  // namespace caracal::pipeline
