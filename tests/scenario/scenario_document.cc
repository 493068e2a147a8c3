#include "tests/scenario/scenario_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace caracal::pipeline {

void Problems::Add(const YAML::Mark& mark, std::string_view text) {
  lines_.push_back(fmt::format("{}:{}: {}", path_, mark.line + 1, text));
}

MapReader::MapReader(const YAML::Node& node, std::string what, Problems& problems)
    : what_(std::move(what)), problems_(problems) {
  if (!node.IsMap()) {
    if (node.IsDefined()) problems_.Add(node, fmt::format("{} is not a mapping", what_));
    return;
  }
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>("");
    const bool is_new = std::none_of(entries_.begin(), entries_.end(),
                                     [&key](const Entry& other) { return other.key == key; });
    if (!is_new) problems_.Add(entry.first, fmt::format("{}: '{}' is given twice", what_, key));
    entries_.push_back({key, entry.first.Mark(), entry.second});
  }
}

YAML::Node MapReader::Take(const std::string& key) {
  for (Entry& entry : entries_) {
    if (entry.key != key) continue;
    entry.taken = true;
    return entry.value;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

std::optional<std::string> MapReader::Text(const std::string& key) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return std::nullopt;
  if (node.IsScalar()) return node.Scalar();
  problems_.Add(node, fmt::format("{}: '{}' is not a text", what_, key));
  return std::nullopt;
}

std::optional<int64_t> MapReader::Integer(const std::string& key) {
  const YAML::Node node = Take(key);
  return node.IsDefined() ? ReadInteger(node, problems_) : std::nullopt;
}

bool MapReader::Flag(const std::string& key) {
  const YAML::Node node = Take(key);
  if (!node.IsDefined()) return false;
  const bool is_true = node.IsScalar() && node.Scalar() == "true";
  if (!is_true) problems_.Add(node, fmt::format("{}: '{}' can only be true", what_, key));
  return is_true;
}

std::vector<YAML::Node> MapReader::List(const std::string& key) {
  const YAML::Node node = Take(key);
  std::vector<YAML::Node> items;
  if (!node.IsDefined()) return items;
  if (!node.IsSequence()) {
    problems_.Add(node, fmt::format("{}: '{}' is not a list", what_, key));
    return items;
  }
  for (const YAML::Node& item : node) items.push_back(item);
  return items;
}

void MapReader::Finish() {
  for (const Entry& entry : entries_) {
    if (entry.taken) continue;
    problems_.Add(entry.mark, fmt::format("{} knows no '{}'", what_, entry.key));
  }
}

std::optional<int64_t> ReadInteger(const YAML::Node& node, Problems& problems) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end) return value;
  problems.Add(node, fmt::format("'{}' is not an integer", text));
  return std::nullopt;
}

ScenarioDocument::ScenarioDocument(std::string path, const std::string& text,
                                   const YAML::Node& root)
    : path_(std::move(path)), root_(root) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines_.push_back(line);
}

std::optional<ScenarioDocument> ScenarioDocument::Parse(std::string path, const std::string& text,
                                                        Problems& problems) {
  try {
    const YAML::Node root = YAML::Load(text);
    bool is_block = root.IsMap();
    for (const auto& entry : root) is_block = is_block && entry.first.Mark().column == 0;
    if (is_block) return ScenarioDocument(std::move(path), text, root);
    problems.Add(root, "a scenario is a mapping whose keys start their lines");
  } catch (const YAML::Exception& error) {
    problems.Add(error.mark, error.msg);
  }
  return std::nullopt;
}

YAML::Node ScenarioDocument::Get(const std::string& key) const {
  // The library's own answer for a missing key throws when it is asked anything.
  const YAML::Node node = root_[key];
  return node.IsDefined() ? node : YAML::Node(YAML::NodeType::Undefined);
}

std::string ScenarioDocument::Excerpt(const std::set<std::string>& keys) const {
  std::vector<bool> wanted(lines_.size());
  for (const auto& entry : root_) {
    const auto begin = wanted.begin() + entry.first.Mark().line;
    std::fill(begin, wanted.end(), keys.contains(entry.first.Scalar()));
  }
  std::string excerpt;
  for (size_t line = 0; line < lines_.size(); ++line) {
    excerpt += (wanted[line] ? lines_[line] : "") + '\n';
  }
  return excerpt;
}

}  // namespace caracal::pipeline
