#include "pipeline/plugins/plugin_watch.h"

#include <string>

#include <fmt/format.h>

#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

PluginFault FaultOf(agents::PluginError error) {
  switch (error) {
    case agents::PluginError::kEvent:
      return PluginFault::kEventError;
    case agents::PluginError::kVerdict:
      return PluginFault::kBadVerdict;
    case agents::PluginError::kBroken:
      return PluginFault::kBroken;
  }
  return PluginFault::kBroken;
}

}  // namespace

absl::Status PluginWatch::BatchEnds() {
  const int64_t took_us = clock_->MonotonicMicros() - begun_us_;
  durations_.ObserveShared(took_us);
  if (took_us <= budget_.batch_us) return absl::OkStatus();
  const std::string sentence = fmt::format(
      "a batch took {} us, more than its batch_budget of {} us", took_us, budget_.batch_us);
  probe_->Count(PluginFault::kOverBudget, sentence);
  LOG(kWarning, "plugin", sentence, {{"agent", probe_->identity().agent}});
  if (!budget_.stop_on_overrun) return absl::OkStatus();
  return absl::DeadlineExceededError(
      fmt::format("{}; mend the plugin, raise the budget, or set on_overrun: count", sentence));
}

void PluginWatch::NoteError(agents::PluginError error, std::string_view sentence) {
  const PluginFault fault = FaultOf(error);
  probe_->Count(fault, sentence);
  LOG(kWarning, "plugin", sentence,
      {{"agent", probe_->identity().agent}, {"reason", PluginFaultName(fault)}});
}

}  // namespace caracal::pipeline
