#include "pipeline/base/plugin_probe.h"

namespace caracal::pipeline {

std::string_view PluginFaultName(PluginFault fault) {
  switch (fault) {
    case PluginFault::kEventError:
      return "event_error";
    case PluginFault::kBadVerdict:
      return "bad_verdict";
    case PluginFault::kBroken:
      return "broken";
    case PluginFault::kOverBudget:
      return "over_budget";
  }
  return "unknown";
}

void PluginProbe::Count(PluginFault fault, std::string_view sentence) {
  faults_[static_cast<size_t>(fault)].AddShared(1);
  MutexLock lock(&mutex_);
  last_error_ = sentence;
}

std::string PluginProbe::last_error() const {
  MutexLock lock(&mutex_);
  return last_error_;
}

}  // namespace caracal::pipeline
