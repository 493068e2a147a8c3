#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "agents/plugin/call_watch.h"
#include "pipeline/base/plugin_probe.h"
#include "pipeline/ports/clock.h"

namespace caracal::pipeline {

/// How long a plugin may take for a batch.
struct PluginBudget {
  int64_t batch_us = 100'000;
  /// The engine stops when a batch takes longer; else that is counted and logged.
  bool stop_on_overrun = false;
};

/// Times the batches of one agent of a plugin, with two looks at the clock for each, and counts
/// what goes wrong in the plugin's probe. Log lines are held back like all others.
///
/// One worker's, like its agent. Keeps probe and clock alive.
class PluginWatch final : public agents::CallWatch {
 public:
  PluginWatch(std::shared_ptr<PluginProbe> probe, const PluginBudget& budget,
              std::shared_ptr<const Clock> clock)
      : probe_(std::move(probe)),
        durations_(probe_->NextDurations()),
        budget_(budget),
        clock_(std::move(clock)) {}

  void BatchBegins() override { begun_us_ = clock_->MonotonicMicros(); }
  absl::Status BatchEnds() override;
  void NoteError(agents::PluginError error, std::string_view sentence) override;

 private:
  const std::shared_ptr<PluginProbe> probe_;
  DurationHistogram& durations_;
  const PluginBudget budget_;
  const std::shared_ptr<const Clock> clock_;
  int64_t begun_us_ = 0;
};

}  // namespace caracal::pipeline
