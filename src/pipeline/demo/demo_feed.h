#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "pipeline/demo/run_recorder.h"
#include "pipeline/demo/scoreboard.h"
#include "pipeline/generate/event_generator.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

struct FeedOptions {
  std::string bootstrap_servers;
  std::string topic;
  /// Records per second, open loop; 0 = as fast as the consumer follows.
  double rate = 20'000;
  /// Stop after this many records; 0 = when told to.
  uint64_t count = 0;
  /// Takes note of every record; null = nothing is kept. Not owned.
  RunRecorder* recorder = nullptr;
};

/// Produces the generated load into the embedded broker on a thread of its own, never further ahead
/// of the consumer than the broker keeps. Start and Stop from one thread; the accessors from any.
class DemoFeed {
 public:
  /// `consumed` tells how many records the engine has consumed. All must outlive the feed.
  DemoFeed(FeedOptions options, EventGenerator& generator, Scoreboard& scoreboard,
           std::function<uint64_t()> consumed);
  ~DemoFeed();

  absl::Status Start();
  /// Stops producing; what was produced is delivered.
  void Stop();
  bool finished() const { return finished_.load(std::memory_order_acquire); }
  uint64_t produced() const { return produced_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void ProduceDue(int64_t now_us, int64_t start_us);
  bool ProduceOne(int64_t now_us);

  const FeedOptions options_;
  EventGenerator& generator_;
  Scoreboard& scoreboard_;
  const std::function<uint64_t()> consumed_;
  KafkaClient client_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> finished_{false};
  std::atomic<uint64_t> produced_{0};
  std::thread thread_;
};

}  // namespace caracal::pipeline
