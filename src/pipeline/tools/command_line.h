#pragma once

#include <CLI/CLI.hpp>

namespace caracal::pipeline {

/// Makes every option of the application and its commands that takes a number refuse what is none,
/// in words that name the option: CLI11 would take -1 for a very large count. No option of ours
/// takes a negative number. Call it when all commands are there.
void CheckNumbers(CLI::App& app);

/// Ends a command line that did not parse: prints help or the version where that was asked for
/// (stdout, exit code 0), else one line that says what is wrong, with the nearest command or option
/// there is (stderr, exit code 64). Returns the exit code.
int EndCommandLine(const CLI::App& app, const CLI::ParseError& error);

}  // namespace caracal::pipeline
