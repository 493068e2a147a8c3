#pragma once

#include <string>
#include <vector>

namespace caracal::pipeline {

/// The names of the scenarios in a folder, without ".yaml", sorted; empty when there is no such
/// folder. A name consists of small letters, digits and underscores: it names a test.
std::vector<std::string> ScenarioNames(const std::string& folder);

/// What else lies in the folder.
std::vector<std::string> StrangersIn(const std::string& folder);

}  // namespace caracal::pipeline
