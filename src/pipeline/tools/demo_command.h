#pragma once

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal demo`: everything at work with nothing installed.
void AddDemoCommand(CLI::App& app, CommandResult& result);

}  // namespace caracal::pipeline
