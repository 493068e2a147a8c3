#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agents/api/agent_registry.h"
#include "pipeline/config/loaded_config.h"

/// The reference documentation, generated from the descriptors, the agents' specs and the table of
/// diagnostics: it cannot drift from the code. Each text ends with a newline. Any thread.
namespace caracal::pipeline {

enum class ListFormat : uint8_t { kText, kJson, kMarkdown };

/// "text", "json", "markdown".
std::optional<ListFormat> ParseListFormat(std::string_view name);

/// Every setting of the configuration file and of rule files: key, type, default, bounds,
/// environment variable, meaning.
std::string ListSettings(ListFormat format);
/// Every agent with its parameters and reasons.
std::string ListAgents(const agents::AgentRegistry& registry, ListFormat format);
/// Every diagnostic code.
std::string ListErrors(ListFormat format);
/// The rulesets of a configuration by stream, with versions and rules.
std::string ListRulesets(const LoadedConfig& loaded, ListFormat format);
/// The canonical text of every ruleset, one per line.
std::string ListCanonicalRulesets(const LoadedConfig& loaded);

}  // namespace caracal::pipeline
