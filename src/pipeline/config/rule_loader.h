#pragma once

#include <map>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/loaded_config.h"
#include "pipeline/config/path_spans.h"
#include "pipeline/config/references.h"

namespace caracal::pipeline {

/// What rule files are loaded against. Nothing is owned.
struct RuleScope {
  const caracal::config::v1::Config* config = nullptr;
  /// Places of the configuration's settings.
  const PathSpans* config_spans = nullptr;
  const std::vector<LoadedStream>* streams = nullptr;
  const agents::AgentRegistry* registry = nullptr;
  /// base_file is the configuration file: rule_files are relative to it.
  ReferenceScope references;
};

/// Reads config.rule_files, binds every ruleset to each of its streams and versions it. Findings go
/// to the diagnostics; with errors the result is incomplete. `file_sha256` gains the files read.
std::vector<LoadedRuleset> LoadRules(const RuleScope& scope,
                                     std::map<std::string, std::string>& file_sha256,
                                     Diagnostics& diagnostics);

}  // namespace caracal::pipeline
