#pragma once

#include <string>

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// "0.1.0".
std::string VersionText();

/// Adds `version`: prints what was built, and from what, to stdout.
void AddVersionCommand(CLI::App& app);

}  // namespace caracal::pipeline
