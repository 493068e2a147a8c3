#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caracal::pipeline {

/// In what an agent is written.
enum class AgentLanguage : uint8_t { kC, kCpp };

struct ProjectFile {
  std::string name;
  std::string text;
};

/// The files of a project for an agent of that name: the agent, its test, CMake, README; from the
/// templates of agents/sdk/template. InvalidArgument for a name that no agent may have. Any thread.
absl::StatusOr<std::vector<ProjectFile>> AgentProject(std::string_view name,
                                                      AgentLanguage language);

/// Writes `files` into a new directory. AlreadyExists when there is something at `directory`;
/// Unavailable with the file's name when something cannot be written.
absl::Status WriteProject(const std::string& directory, const std::vector<ProjectFile>& files);

}  // namespace caracal::pipeline
