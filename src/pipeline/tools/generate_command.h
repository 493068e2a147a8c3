#pragma once

#include "pipeline/tools/command.h"

namespace caracal::pipeline {

/// Adds `generate`: makes a load of change events and sends it to a file, a Kafka topic or a
/// PostgreSQL table; and `generate agent`, which writes the project of a new agent. Exit codes: 0
/// also when stopped by a signal; 64 for options that make no sense (a missing topic or table, a
/// directory that exists), 69 for a broker or database out of reach, 74 for failed writes. `result`
/// must outlive `app`.
void AddGenerateCommand(CLI::App& app, CommandResult& result);

}  // namespace caracal::pipeline
