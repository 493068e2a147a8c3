#pragma once

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// `caracal run`: the service.
void AddRunCommand(CLI::App& app, CommandResult& result);

}  // namespace caracal::pipeline
