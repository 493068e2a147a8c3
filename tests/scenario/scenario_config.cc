#include "tests/scenario/scenario_config.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "agents/builtin/builtin_agents.h"
#include "pipeline/config/config_loader.h"
#include "pipeline/config/diagnostics_format.h"
#include "pipeline/decode/place_table.h"
#include "pipeline/engine/options_from_config.h"

namespace caracal::pipeline {
namespace {

/// Sections every configuration needs, for inline configurations that leave them out.
const std::map<std::string, std::string> kUsualSections = {
    {"kafka", R"({bootstrap_servers: "unused:9092"})"},
    {"alerts", "{topic: fraud.alerts}"},
    {"dead_letters", "{topic: fraud.dead-letters}"},
    {"state", "{topic: caracal.state}"},
};

/// The disk, with some files held in memory.
class OverlaidFiles : public FileReader {
 public:
  void Put(const std::string& path, std::string text) { texts_[path] = std::move(text); }

  absl::StatusOr<FileContent> Read(const std::string& path, size_t max_bytes) const override {
    const auto text = texts_.find(path);
    if (text == texts_.end()) return disk_.Read(path, max_bytes);
    return FileContent{text->second, false};
  }
  std::vector<std::string> Glob(const std::string& pattern) const override {
    if (texts_.contains(pattern)) return {pattern};
    return disk_.Glob(pattern);
  }

 private:
  std::map<std::string, std::string> texts_;
  DiskFileReader disk_;
};

/// What to load, and the files that exist only as parts of the scenario.
struct Sources {
  LoadRequest request;
  OverlaidFiles files;
};

/// The same file under another name: excerpts of one scenario for two readers.
std::string OtherName(const std::string& path) {
  const size_t slash = path.rfind('/') + 1;
  return path.substr(0, slash) + "./" + path.substr(slash);
}

/// `config` of a scenario as a configuration file. nullopt, with a report, when it is not a block.
std::optional<std::string> InlineConfig(const ScenarioDocument& document, Problems& problems) {
  const YAML::Node config = document.Get("config");
  if (!config.IsMap() || config.size() == 0) {
    problems.Add(config, "'config' is neither a path nor settings");
    return std::nullopt;
  }
  if (config.Style() != YAML::EmitterStyle::Block) {
    problems.Add(config, "write 'config' as a block: each setting on a line of its own");
    return std::nullopt;
  }
  std::string text = document.Excerpt({"config"});
  const size_t key = text.find_first_not_of('\n');
  text.erase(key, text.find('\n', key) - key);
  const int indent = config.begin()->first.Mark().column;
  for (const auto& [section, usual] : kUsualSections) {
    if (config[section].IsDefined()) continue;
    text += fmt::format("{:{}}{}: {}\n", "", indent, section, usual);
  }
  return text;
}

/// Names what is to be loaded; false, with a report, when the scenario does not say it.
bool Prepare(const ScenarioDocument& document, const std::string& root, Sources& sources,
             Problems& problems) {
  const YAML::Node config = document.Get("config");
  if (!config.IsDefined()) {
    problems.Add(document.root(), "no 'config': name a file, or give at least streams");
    return false;
  }
  if (config.IsScalar()) {
    sources.request.path = fmt::format("{}/{}", root, config.Scalar());
  } else {
    std::optional<std::string> text = InlineConfig(document, problems);
    if (!text.has_value()) return false;
    sources.request.path = OtherName(document.path());
    sources.files.Put(sources.request.path, *std::move(text));
  }
  if (document.Get("rulesets").IsDefined()) {
    sources.files.Put(document.path(), document.Excerpt({"lists", "rulesets"}) + "version: 1\n");
    sources.request.sets.push_back(fmt::format("rule_files=[\"{}\"]", document.path()));
  }
  for (const YAML::Node& set : document.Get("set")) {
    sources.request.sets.push_back(set.Scalar());
  }
  // What fits does not depend on the machine that runs the test.
  sources.request.sets.emplace_back("engine.memory_limit=4GiB");
  return true;
}

}  // namespace

std::optional<ScenarioConfig> LoadScenarioConfig(const ScenarioDocument& document,
                                                 const std::string& root, Problems& problems) {
  Sources sources;
  if (!Prepare(document, root, sources, problems)) return std::nullopt;
  agents::AgentRegistry registry;
  CHECK(agents::RegisterBuiltinAgents(registry).ok());
  LoadTools tools;
  tools.files = &sources.files;
  tools.registry = &registry;
  tools.check_places = [](std::string_view csv, std::string_view name) {
    return PlaceTable::Parse(csv, name).status();
  };
  const LoadResult result = LoadConfig(sources.request, tools);
  if (!result.config.has_value()) {
    problems.AddPlaced(FormatDiagnostics(result.diagnostics, DiagnosticFormat::kText));
    return std::nullopt;
  }
  absl::StatusOr<EngineOptions> options = OptionsFromConfig(*result.config);
  if (!options.ok()) {
    problems.Add(document.root(), agents::MessageOf(options.status()));
    return std::nullopt;
  }
  ScenarioConfig config;
  config.options = *std::move(options);
  for (const LoadedStream& stream : result.config->streams) {
    config.key_columns.push_back(stream.key_column);
  }
  return config;
}

}  // namespace caracal::pipeline
