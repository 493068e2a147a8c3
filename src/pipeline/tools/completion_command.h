#pragma once

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// Adds `completion bash|zsh|fish`: prints a script to stdout that completes every command and
/// option `app`, the whole program, has when it is run.
void AddCompletionCommand(CLI::App& app);

}  // namespace caracal::pipeline
