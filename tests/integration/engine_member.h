#pragma once

#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agents/api/agent_registry.h"
#include "pipeline/engine/engine.h"

namespace caracal::pipeline {

/// The real engine as a member of the group, on a thread of its own. One thread, except that the
/// engine's own accessors may be used while it runs.
class EngineMember {
 public:
  /// Creates and runs the engine. Ends the process when the options are wrong.
  explicit EngineMember(EngineOptions options);
  /// Stops it if it still runs.
  ~EngineMember();
  EngineMember(const EngineMember&) = delete;
  EngineMember& operator=(const EngineMember&) = delete;

  Engine& engine() { return *engine_; }
  const Engine& engine() const { return *engine_; }
  /// Asks the engine to drain and leave, as SIGTERM does; returns what Run returned.
  absl::Status Stop();
  /// Waits for Run to return by itself; DeadlineExceeded when it does not.
  absl::Status AwaitEnd(absl::Duration timeout);
  bool ended() const;

  /// All counts of one kind, over the streams.
  uint64_t consumed() const;
  uint64_t evaluated() const;
  uint64_t dead_letters() const;
  int64_t open_partitions() const { return engine_->source_probe().open_partitions.value(); }

 private:
  agents::AgentRegistry registry_;
  std::unique_ptr<Engine> engine_;
  mutable absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status result_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace caracal::pipeline
