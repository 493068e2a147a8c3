#pragma once

#include <string>

namespace caracal::pipeline {

/// Gives a closed standard input, output or error a descriptor, or the first file or socket that is
/// opened would take its place and its text. Reading and writing there fail as before; what goes to
/// a closed standard error is dropped. Call it first of all.
void OccupyStandardDescriptors();

/// Writes out what is left of standard output. Returns `exit_code`, or kExitIo with a sentence on
/// standard error when not all of it could be written; `reason` is why, where that is known
/// already. A reader that has gone away is no failure. Main thread, last of all.
int FinishOutput(int exit_code, std::string reason = "");

}  // namespace caracal::pipeline
