#pragma once

#include "agents/api/agent_registry.h"
#include "pipeline/config/json.h"

/// JSON Schemas (draft 2020-12) for editors and for checks elsewhere, generated from the
/// descriptors and the agents' parameter specs. They accept whatever the loader accepts; what a
/// schema cannot say (settings that need each other, Kafka properties, bounds of durations) the
/// loader checks. Any thread.
namespace caracal::pipeline {

/// Of the configuration file.
Json ConfigSchema();
/// Of rule files, with the parameters of every registered agent.
Json RulesSchema(const agents::AgentRegistry& registry);

}  // namespace caracal::pipeline
