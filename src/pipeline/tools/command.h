#pragma once

#include <CLI/CLI.hpp>

/// The command line of `caracal`: one file per command, each adds its subcommand to the
/// application.
namespace caracal::pipeline {

/// Exit codes, after sysexits(3).
enum ExitCode : int {
  kExitOk = 0,
  kExitFindings = 1,      ///< the command worked and found something: failed tests, lint warnings
  kExitUsage = 64,        ///< the command line is wrong
  kExitBadData = 65,      ///< an input file is malformed
  kExitUnavailable = 69,  ///< a broker, database or other service cannot be reached
  kExitInternal = 70,     ///< a bug of ours
  kExitIo = 74,           ///< reading or writing failed
  kExitTorn = 76,         ///< a transaction of ours is committed in part: a person must look
  kExitConfig = 78,       ///< the configuration is wrong
};

/// What the chosen command leaves behind for main. Main thread only.
struct CommandResult {
  int exit_code = kExitOk;
};

}  // namespace caracal::pipeline
