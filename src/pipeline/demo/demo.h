#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/api/agent_registry.h"
#include "pipeline/demo/demo_screen.h"

namespace caracal::pipeline {

struct DemoOptions {
  absl::Duration duration = absl::Seconds(15);
  /// Records per second; 0 = as fast as the engine follows.
  double rate = 20'000;
  /// Records instead of a duration; 0 = none. For reproducible runs.
  uint64_t count = 0;
  uint64_t seed = 1;
  /// Serve the admin paths and keep running until stopped.
  bool serve = false;
  std::string admin_listen = "127.0.0.1:9464";
  /// Folder for what the run saw (see RunRecorder); empty = nothing is kept.
  std::string record_folder;
};

/// What a finished demo has to say.
struct DemoResult {
  DemoFrame frame;
  bool conserved = false;
};

/// Runs the real engine as a group member against an embedded broker, fed by the generator, and
/// compares the alerts topic with what was planted. `show` is called on the calling thread several
/// times a second; `stop` ends the load early. No network beyond loopback, no files but the
/// recorder's. Unknown = one of those could not be written; Unavailable = the admin address cannot
/// be listened on.
absl::StatusOr<DemoResult> RunDemo(const DemoOptions& options,
                                   const agents::AgentRegistry& registry,
                                   const std::function<void(const DemoFrame&)>& show,
                                   const std::atomic<bool>& stop);

}  // namespace caracal::pipeline
