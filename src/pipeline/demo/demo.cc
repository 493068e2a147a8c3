#include "pipeline/demo/demo.h"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/config/config_loader.h"
#include "pipeline/config/diagnostics_format.h"
#include "pipeline/control/admin_server.h"
#include "pipeline/demo/alert_reader.h"
#include "pipeline/demo/demo_config.h"
#include "pipeline/demo/demo_feed.h"
#include "pipeline/demo/mock_broker.h"
#include "pipeline/demo/run_recorder.h"
#include "pipeline/demo/scoreboard.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/engine_monitor.h"
#include "pipeline/engine/metrics_catalog.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/generate/event_generator.h"
#include "pipeline/observe/process_collector.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kFrameInterval = absl::Milliseconds(250);
constexpr absl::Duration kCatchUpLimit = absl::Seconds(60);

GeneratorOptions LoadOptions(uint64_t seed) {
  GeneratorOptions options;
  options.profile = LoadProfile::kCards;
  options.seed = seed;
  options.partitions = kDemoPartitions;
  options.cards.seed = seed;
  options.cards.accounts = 10'000;
  options.cards.burst_rate = 2e-4;
  options.cards.big_ticket_rate = 2e-4;
  options.cards.travel_rate = 2e-4;
  options.time.event_rate = 100;
  options.noise.duplicates = 0.001;
  options.noise.updates = 0.001;
  options.noise.deletes = 0.0005;
  options.noise.malformed = 0.0005;
  return options;
}

/// The engine on a thread of its own.
class RunningEngine {
 public:
  explicit RunningEngine(Engine& engine) : engine_(engine) {
    thread_ = std::thread([this] {
      status_ = engine_.Run();
      ended_.store(true, std::memory_order_release);
    });
  }
  ~RunningEngine() { static_cast<void>(Stop()); }
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  absl::Status Stop() {
    if (!thread_.joinable()) return status_;
    engine_.RequestStop();
    thread_.join();
    return status_;
  }

 private:
  Engine& engine_;
  absl::Status status_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

DemoFrame FrameOf(const Engine& engine, const Scoreboard& scoreboard, double elapsed_s,
                  const DemoOptions& options) {
  DemoFrame frame;
  const StreamProbe& probe = *engine.probe().streams[0];
  frame.elapsed_s = elapsed_s;
  const bool timed = !options.serve && options.count == 0;
  frame.duration_s = timed ? absl::ToDoubleSeconds(options.duration) : 0;
  frame.consumed = probe.consumed.value();
  frame.evaluated = probe.evaluated.value();
  for (const Counter& counter : probe.skipped) frame.skipped += counter.value();
  for (const Counter& counter : probe.rejected) frame.dead_letters += counter.value();
  frame.epochs = engine.commit_probe().epochs_committed.value();
  frame.score = scoreboard.Snapshot();
  frame.produced = frame.score.produced;
  return frame;
}

absl::StatusOr<EngineOptions> LoadDemoConfig(const FileReader& files,
                                             const agents::AgentRegistry& registry) {
  LoadResult loaded =
      LoadConfig({.path = "caracal.yaml"}, {.files = &files, .registry = &registry});
  if (!loaded.config.has_value()) {
    return absl::InternalError(
        fmt::format("the demo's own configuration is wrong:\n{}",
                    FormatDiagnostics(loaded.diagnostics, DiagnosticFormat::kText)));
  }
  ASSIGN_OR_RETURN(EngineOptions options, OptionsFromConfig(*loaded.config));
  options.state_topics.clear();  // nothing is to survive the demo
  return options;
}

absl::Status CreateTopics(MockBroker& broker) {
  for (const char* topic : {kDemoSourceTopic, kDemoAlertTopic, kDemoDeadLetterTopic}) {
    RETURN_IF_ERROR(broker.CreateTopic(topic, kDemoPartitions));
  }
  return absl::OkStatus();
}

/// One run: everything that must live while the engine judges, in the order it is built.
class DemoRun {
 public:
  DemoRun(const DemoOptions& options, const std::atomic<bool>& stop)
      : options_(options), stop_(stop) {}

  absl::Status Start(const agents::AgentRegistry& registry);
  /// Shows frames until every partition is open, then starts the load and the clock.
  absl::Status Join(const std::function<void(const DemoFrame&)>& show);
  /// Shows frames until the load is over.
  void Watch(const std::function<void(const DemoFrame&)>& show);
  /// Stops the load, waits until everything is judged and every alert read, and stops the engine.
  absl::StatusOr<DemoResult> Finish();

 private:
  absl::Status BuildEngine(const agents::AgentRegistry& registry);
  uint64_t Consumed() const { return engine_->probe().streams[0]->consumed.value(); }
  double Seconds() const { return absl::ToDoubleSeconds(absl::Now() - start_); }
  bool Over() const;
  bool Settled() const;
  void AwaitSettled(absl::Time limit) const;

  const DemoOptions& options_;
  const std::atomic<bool>& stop_;
  std::unique_ptr<MockBroker> broker_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<ProcessCollector> process_;
  std::unique_ptr<MetricsCatalog> catalog_;
  std::unique_ptr<EngineMonitor> monitor_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<EventGenerator> generator_;
  std::unique_ptr<RunRecorder> recorder_;
  Scoreboard scoreboard_;
  std::unique_ptr<AlertReader> reader_;
  std::unique_ptr<RunningEngine> running_;
  std::unique_ptr<DemoFeed> feed_;
  absl::Time start_;
};

absl::Status DemoRun::BuildEngine(const agents::AgentRegistry& registry) {
  const MemoryFileReader files = DemoFiles(broker_->bootstrap_servers(), options_.admin_listen);
  if (recorder_ != nullptr) RETURN_IF_ERROR(recorder_->KeepFiles(files));
  ASSIGN_OR_RETURN(EngineOptions engine_options, LoadDemoConfig(files, registry));
  ASSIGN_OR_RETURN(engine_, Engine::Create(std::move(engine_options), registry));
  metrics_ = std::make_unique<MetricRegistry>();
  process_ = std::make_unique<ProcessCollector>(*metrics_);
  catalog_ = std::make_unique<MetricsCatalog>(*metrics_, *engine_);
  monitor_ = std::make_unique<EngineMonitor>(*engine_, *metrics_);
  if (!options_.serve) return absl::OkStatus();
  admin_ = std::make_unique<AdminServer>(
      *monitor_, AdminServerOptions{.listen = options_.admin_listen, .setting = "--admin"});
  return admin_->Start();
}

absl::Status DemoRun::Start(const agents::AgentRegistry& registry) {
  if (!options_.record_folder.empty()) {
    ASSIGN_OR_RETURN(recorder_, RunRecorder::Create(options_.record_folder));
  }
  ASSIGN_OR_RETURN(broker_, MockBroker::Start());
  RETURN_IF_ERROR(CreateTopics(*broker_));
  RETURN_IF_ERROR(BuildEngine(registry));
  ASSIGN_OR_RETURN(generator_, EventGenerator::Create(LoadOptions(options_.seed)));
  reader_ = std::make_unique<AlertReader>(broker_->bootstrap_servers(), kDemoAlertTopic,
                                          kDemoPartitions, scoreboard_, recorder_.get());
  RETURN_IF_ERROR(reader_->Start());
  feed_ = std::make_unique<DemoFeed>(FeedOptions{.bootstrap_servers = broker_->bootstrap_servers(),
                                                 .topic = kDemoSourceTopic,
                                                 .rate = options_.rate,
                                                 .count = options_.count,
                                                 .recorder = recorder_.get()},
                                     *generator_, scoreboard_, [this] { return Consumed(); });
  running_ = std::make_unique<RunningEngine>(*engine_);
  return absl::OkStatus();
}

absl::Status DemoRun::Join(const std::function<void(const DemoFrame&)>& show) {
  const auto joined = [this] {
    return engine_->source_probe().open_partitions.value() == kDemoPartitions;
  };
  while (!joined() && !stop_.load() && !running_->ended()) {
    DemoFrame frame = FrameOf(*engine_, scoreboard_, 0, options_);
    frame.joining = true;
    show(frame);
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kFrameInterval));
  }
  start_ = absl::Now();
  return feed_->Start();
}

bool DemoRun::Over() const {
  if (stop_.load() || running_->ended() || feed_->finished()) return true;
  return !options_.serve && options_.count == 0 && absl::Now() - start_ >= options_.duration;
}

void DemoRun::Watch(const std::function<void(const DemoFrame&)>& show) {
  uint64_t last_evaluated = 0;
  double last_seconds = 0;
  while (!Over()) {
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kFrameInterval));
    DemoFrame frame = FrameOf(*engine_, scoreboard_, Seconds(), options_);
    frame.events_per_s =
        static_cast<double>(frame.evaluated - last_evaluated) / (frame.elapsed_s - last_seconds);
    last_evaluated = frame.evaluated;
    last_seconds = frame.elapsed_s;
    show(frame);
  }
}

bool DemoRun::Settled() const {
  const ScoreSnapshot score = scoreboard_.Snapshot();
  return Consumed() >= feed_->produced() &&
         score.alerts + score.repeated_alerts >= engine_->commit_probe().alerts.value();
}

void DemoRun::AwaitSettled(absl::Time limit) const {
  while (!Settled() && !running_->ended() && absl::Now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

absl::StatusOr<DemoResult> DemoRun::Finish() {
  const absl::Time limit = absl::Now() + kCatchUpLimit;
  feed_->Stop();
  AwaitSettled(limit);
  const double seconds = Seconds();
  RETURN_IF_ERROR(running_->Stop());
  AwaitSettled(limit);
  reader_->Stop();
  if (recorder_ != nullptr) RETURN_IF_ERROR(recorder_->Close());
  DemoResult result;
  result.frame = FrameOf(*engine_, scoreboard_, seconds, options_);
  result.frame.events_per_s = static_cast<double>(result.frame.evaluated) / seconds;
  result.conserved = result.frame.consumed == feed_->produced() &&
                     result.frame.consumed ==
                         result.frame.evaluated + result.frame.skipped + result.frame.dead_letters;
  return result;
}

}  // namespace

absl::StatusOr<DemoResult> RunDemo(const DemoOptions& options,
                                   const agents::AgentRegistry& registry,
                                   const std::function<void(const DemoFrame&)>& show,
                                   const std::atomic<bool>& stop) {
  DemoRun run(options, stop);
  RETURN_IF_ERROR(run.Start(registry));
  RETURN_IF_ERROR(run.Join(show));
  run.Watch(show);
  return run.Finish();
}

}  // namespace caracal::pipeline
