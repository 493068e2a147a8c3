#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "pipeline/config/loaded_config.h"
#include "pipeline/source/source_options.h"

namespace caracal::pipeline {

/// Before a member joins its group: waits for a broker, however long that takes, and looks at the
/// topics as `caracal doctor` does. FailedPrecondition names everything that breaks a guarantee;
/// warnings are logged; what is missing too, and left to the engine, which waits for it or says
/// what to do. Returns early, with OK, once `stopping` is true; it is asked every second.
absl::Status CheckBeforeStart(const LoadedConfig& loaded, const std::function<bool()>& stopping);

/// Before an instance with a name joins its group: waits for a member of the same name to
/// disappear, for as long as one that died stays in the group. FailedPrecondition when it is still
/// there: another process has the name. Returns early, with OK, once `stopping` is true. Members
/// without a name, and static ones, who replace their predecessor, do not wait.
absl::Status AwaitTwin(const SourceOptions& source, const std::string& instance_id,
                       const std::function<bool()>& stopping);

}  // namespace caracal::pipeline
