#pragma once

#include <string>
#include <vector>

#include "tests/scenario/scenario.h"
#include "tests/scenario/scenario_run.h"

namespace caracal::pipeline {

/// Holds what came out of a run against what a scenario expects, and adds every difference to
/// `problems` at the line of the expectation. Alerts and dead letters must be the expected ones, no
/// more; so must skips and warmed records; other counts are compared where they are named. Dead
/// letters must hold the record's key and value untouched.
void CheckOutcome(const Scenario& scenario, const ScenarioOutcome& outcome, Problems& problems);

/// Runs the scenario in `text` with 0, 1 and 3 workers and batches of 1 and 64 records. Returns
/// everything that is wrong: with the file, with what came out, or that it was not the same in
/// every run. Empty = the scenario holds. `path` and `root` as for ReadScenario.
std::vector<std::string> ProblemsOf(const std::string& path, const std::string& text,
                                    const std::string& root);

}  // namespace caracal::pipeline
