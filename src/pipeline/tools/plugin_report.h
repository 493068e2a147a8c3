#pragma once

#include <string>

#include "pipeline/conformance/conformance.h"

namespace caracal::pipeline {

/// A plugin's trial for people: one line per check, then the times. `path` as it was given.
std::string PluginReportText(const std::string& path, const ConformanceReport& report);
/// The same as a JSON object, with a final newline.
std::string PluginReportJson(const std::string& path, const ConformanceReport& report);

}  // namespace caracal::pipeline
