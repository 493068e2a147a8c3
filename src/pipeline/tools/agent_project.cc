#include "pipeline/tools/agent_project.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "pipeline/tools/agent_templates.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMaxName = 64;

struct Word {
  std::string_view placeholder;
  std::string text;
};

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

bool IsAgentName(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || !IsLower(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsLower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// card-burst -> card_burst
std::string FileNameOf(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// card-burst -> CardBurst
std::string ClassNameOf(std::string_view name) {
  std::string result;
  bool begins = true;
  for (const char c : name) {
    if (c == '-' || c == '_') {
      begins = true;
      continue;
    }
    result += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = false;
  }
  return result;
}

std::string FilledIn(std::string_view text, const std::vector<Word>& words) {
  std::string result(text);
  for (const Word& word : words) {
    for (size_t at = 0; (at = result.find(word.placeholder, at)) != std::string::npos;) {
      result.replace(at, word.placeholder.size(), word.text);
      at += word.text.size();
    }
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<ProjectFile>> AgentProject(std::string_view name,
                                                      AgentLanguage language) {
  if (!IsAgentName(name)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' cannot be the name of an agent: use lower-case letters, digits, '-' and "
                    "'_', beginning with a letter, at most {}",
                    name, kMaxName));
  }
  const bool cpp = language == AgentLanguage::kCpp;
  const std::string file = FileNameOf(std::string(name));
  const std::string suffix = cpp ? "cc" : "c";
  const std::vector<Word> words = {{"__NAME__", std::string(name)},
                                   {"__FILE__", file},
                                   {"__CLASS__", ClassNameOf(name)},
                                   {"__SUFFIX__", suffix},
                                   {"__LANGUAGES__", cpp ? "C CXX" : "C"}};
  return std::vector<ProjectFile>{
      {"CMakeLists.txt", FilledIn(kCMakeListsTemplate, words)},
      {"README.md", FilledIn(kReadmeTemplate, words)},
      {file + "." + suffix, FilledIn(cpp ? kCppAgentTemplate : kCAgentTemplate, words)},
      {file + "_test.c", FilledIn(kAgentTestTemplate, words)}};
}

absl::Status WriteProject(const std::string& directory, const std::vector<ProjectFile>& files) {
  std::error_code error;
  if (std::filesystem::exists(directory, error)) {
    return absl::AlreadyExistsError(
        fmt::format("'{}' exists already; name another directory", directory));
  }
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError(
        fmt::format("'{}' cannot be made: {}", directory, error.message()));
  }
  for (const ProjectFile& file : files) {
    const std::string path = directory + "/" + file.name;
    std::ofstream out(path, std::ios::binary);
    out << file.text;
    out.close();
    if (!out) return absl::UnavailableError(fmt::format("'{}' cannot be written", path));
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
