#pragma once

#include <cstdint>
#include <string>

#include "pipeline/generate/load_run.h"

namespace caracal::pipeline {

/// One line for a terminal: records, records per second since `previous`, bytes, and the time left
/// while a limit tells.
///   1,204,000 records  98,765/s  857.3 MB  00:12 left
std::string FormatProgress(const LoadProgress& previous, const LoadProgress& now,
                           const LoadLimits& limits);

/// The last word on a load, without a line feed; `stopped` = by the user.
///   1,000,000 records (712.5 MB) in 10.0 s: 99,998/s; 12 episodes, 104 malformed
std::string FormatSummary(const LoadProgress& done, bool stopped, const LabelWriter* labels);

}  // namespace caracal::pipeline
