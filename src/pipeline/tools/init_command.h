#pragma once

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal init`: creates the alert, dead-letter and state topics, or prints how to.
void AddInitCommand(CLI::App& app, CommandResult& result);

}  // namespace caracal::pipeline
