#pragma once

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal resume`: a partition that a reject storm has paused goes on.
void AddResumeCommand(CLI::App& app, CommandResult& result);

}  // namespace caracal::pipeline
