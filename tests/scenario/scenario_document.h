#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caracal::pipeline {

/// Collects what is wrong with one scenario file, each with its line. One thread.
class Problems {
 public:
  explicit Problems(std::string path) : path_(std::move(path)) {}

  /// "path:line: text".
  void Add(const YAML::Mark& mark, std::string_view text);
  void Add(const YAML::Node& node, std::string_view text) { Add(node.Mark(), text); }
  /// A finding that names its own place.
  void AddPlaced(std::string text) { lines_.push_back(std::move(text)); }

  bool empty() const { return lines_.empty(); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  const std::string path_;
  std::vector<std::string> lines_;
};

/// Reads the entries of one mapping. What is no mapping, given twice, of the wrong type or unknown
/// is reported, and reading goes on. One thread.
class MapReader {
 public:
  /// `what` names the mapping in reports. `problems` must outlive this.
  MapReader(const YAML::Node& node, std::string what, Problems& problems);

  /// The value of `key`; undefined when it is absent.
  YAML::Node Take(const std::string& key);
  /// nullopt when absent or, with a report, not a scalar or null.
  std::optional<std::string> Text(const std::string& key);
  std::optional<int64_t> Integer(const std::string& key);
  bool Flag(const std::string& key);
  /// The items of a list; empty when absent.
  std::vector<YAML::Node> List(const std::string& key);
  /// Reports the keys that nobody has asked for.
  void Finish();

 private:
  struct Entry {
    std::string key;
    YAML::Mark mark;
    YAML::Node value;
    bool taken = false;
  };

  const std::string what_;
  Problems& problems_;
  std::vector<Entry> entries_;
};

/// The scalar as an integer; nullopt, with a report, when it is none.
std::optional<int64_t> ReadInteger(const YAML::Node& node, Problems& problems);

/// A scenario file as text and as a tree. Immutable.
class ScenarioDocument {
 public:
  /// nullopt, with a report, when the text is no YAML mapping written as a block.
  static std::optional<ScenarioDocument> Parse(std::string path, const std::string& text,
                                               Problems& problems);

  const std::string& path() const { return path_; }
  const YAML::Node& root() const { return root_; }
  /// A top-level entry; undefined when there is none.
  YAML::Node Get(const std::string& key) const;
  /// The lines of some top-level entries, all others blank, so that a place in the excerpt is a
  /// place in the file.
  std::string Excerpt(const std::set<std::string>& keys) const;

 private:
  ScenarioDocument(std::string path, const std::string& text, const YAML::Node& root);

  const std::string path_;
  std::vector<std::string> lines_;
  const YAML::Node root_;
};

}  // namespace caracal::pipeline
