#pragma once

#include <functional>

#include "absl/status/status.h"
#include "pipeline/config/loaded_config.h"

namespace caracal::pipeline {

/// Before a member joins its group: waits for a broker, however long that takes, and looks at the
/// topics as `caracal doctor` does. FailedPrecondition names everything that breaks a guarantee;
/// warnings are logged; what is missing is left to the engine, which waits for it or says what to
/// do. Returns early, with OK, once `stopping` is true; it is asked every second.
absl::Status CheckBeforeStart(const LoadedConfig& loaded, const std::function<bool()>& stopping);

}  // namespace caracal::pipeline
