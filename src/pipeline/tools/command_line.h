#pragma once

#include <CLI/CLI.hpp>

namespace caracal::pipeline {

/// Ends a command line that did not parse: prints help or the version where that was asked for
/// (stdout, exit code 0), else one line that says what is wrong, with the nearest command or option
/// there is (stderr, exit code 64). Returns the exit code.
int EndCommandLine(const CLI::App& app, const CLI::ParseError& error);

}  // namespace caracal::pipeline
