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
  frame.duration_s = absl::ToDoubleSeconds(options.duration);
  frame.consumed = probe.consumed.value();
  frame.evaluated = probe.evaluated.value();
  for (const Counter& counter : probe.skipped) frame.skipped += counter.value();
  for (const Counter& counter : probe.rejected) frame.dead_letters += counter.value();
  frame.epochs = engine.commit_probe().epochs_committed.value();
  frame.score = scoreboard.Snapshot();
  frame.produced = frame.score.produced;
  return frame;
}

absl::StatusOr<EngineOptions> LoadDemoConfig(const std::string& bootstrap_servers,
                                             const std::string& admin_listen,
                                             const agents::AgentRegistry& registry) {
  const MemoryFileReader files = DemoFiles(bootstrap_servers, admin_listen);
  LoadResult loaded = LoadConfig({.path = "caracal.yaml"}, {.files = &files, .registry = &registry});
  if (!loaded.config.has_value()) {
    return absl::InternalError(fmt::format("the demo's own configuration is wrong:\n{}",
                                           FormatDiagnostics(loaded.diagnostics, DiagnosticFormat::kText)));
  }
  return OptionsFromConfig(*loaded.config);
}

absl::Status CreateTopics(MockBroker& broker) {
  for (const char* topic : {kDemoSourceTopic, kDemoAlertTopic, kDemoDeadLetterTopic}) {
    RETURN_IF_ERROR(broker.CreateTopic(topic, kDemoPartitions));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DemoResult> RunDemo(const DemoOptions& options,
                                   const agents::AgentRegistry& registry,
                                   const std::function<void(const DemoFrame&)>& show,
                                   const std::atomic<bool>& stop) {
  ASSIGN_OR_RETURN(const std::unique_ptr<MockBroker> broker, MockBroker::Start());
  RETURN_IF_ERROR(CreateTopics(*broker));
  ASSIGN_OR_RETURN(EngineOptions engine_options,
                   LoadDemoConfig(broker->bootstrap_servers(), options.admin_listen, registry));
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                   Engine::Create(std::move(engine_options), registry));
  MetricRegistry metrics;
  const ProcessCollector process(metrics);
  const MetricsCatalog catalog(metrics, *engine);
  EngineMonitor monitor(*engine, metrics);
  AdminServer admin(monitor, {.listen = options.admin_listen});
  if (options.serve) RETURN_IF_ERROR(admin.Start());

  ASSIGN_OR_RETURN(const std::unique_ptr<EventGenerator> generator,
                   EventGenerator::Create(LoadOptions(options.seed)));
  Scoreboard scoreboard;
  AlertReader reader(broker->bootstrap_servers(), kDemoAlertTopic, kDemoPartitions, scoreboard);
  RETURN_IF_ERROR(reader.Start());
  const auto consumed = [&engine] { return engine->probe().streams[0]->consumed.value(); };
  DemoFeed feed({broker->bootstrap_servers(), kDemoSourceTopic, options.rate, options.count},
                *generator, scoreboard, consumed);
  RunningEngine running(*engine);
  RETURN_IF_ERROR(feed.Start());

  const absl::Time start = absl::Now();
  uint64_t last_evaluated = 0;
  const auto frame_now = [&] {
    DemoFrame frame =
        FrameOf(*engine, scoreboard, absl::ToDoubleSeconds(absl::Now() - start), options);
    frame.events_per_s = static_cast<double>(frame.evaluated - last_evaluated) /
                         absl::ToDoubleSeconds(kFrameInterval);
    last_evaluated = frame.evaluated;
    return frame;
  };
  const auto over = [&] {
    if (stop.load() || running.ended() || feed.finished()) return true;
    return !options.serve && options.count == 0 && absl::Now() - start >= options.duration;
  };
  while (!over()) {
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kFrameInterval));
    show(frame_now());
  }
  feed.Stop();
  // Everything produced must be judged, and every alert read, before the books are closed.
  const absl::Time limit = absl::Now() + kCatchUpLimit;
  const auto settled = [&] {
    return consumed() >= feed.produced() &&
           scoreboard.Snapshot().alerts + scoreboard.Snapshot().repeated_alerts >=
               engine->commit_probe().alerts.value();
  };
  while (!settled() && !running.ended() && absl::Now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  RETURN_IF_ERROR(running.Stop());
  while (!settled() && absl::Now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  reader.Stop();
  DemoResult result;
  result.frame = FrameOf(*engine, scoreboard, seconds, options);
  result.frame.events_per_s = static_cast<double>(result.frame.evaluated) / seconds;
  result.conserved = result.frame.consumed == feed.produced() &&
                     result.frame.consumed ==
                         result.frame.evaluated + result.frame.skipped + result.frame.dead_letters;
  return result;
}

}  // namespace caracal::pipeline
