#include "tests/scenario/scenario_files.h"

#include <algorithm>
#include <filesystem>

namespace caracal::pipeline {
namespace {

bool IsScenario(const std::filesystem::directory_entry& entry) {
  const std::string name = entry.path().stem().string();
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return entry.is_regular_file() && entry.path().extension() == ".yaml" && !name.empty() &&
         std::all_of(name.begin(), name.end(), fits);
}

std::vector<std::string> NamesIn(const std::string& folder, bool scenarios) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (IsScenario(entry) != scenarios) continue;
    names.push_back(scenarios ? entry.path().stem().string() : entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::vector<std::string> ScenarioNames(const std::string& folder) { return NamesIn(folder, true); }

std::vector<std::string> StrangersIn(const std::string& folder) { return NamesIn(folder, false); }

}  // namespace caracal::pipeline
