#pragma once

#include <string>
#include <vector>

#include "pipeline/config/diagnostics.h"
#include "pipeline/config/references.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/yaml_tree.h"

namespace caracal::pipeline {

/// The environment variable of a setting: "kafka.group_id" is CARACAL_KAFKA__GROUP_ID.
std::string EnvironmentName(const std::string& path);

/// Lays settings from elsewhere over a parsed file, before it is bound, so that they are checked
/// like everything else and reported under their own origin.
///
/// Variables are CARACAL_ and the path, upper case, levels joined by `__`; list items by number
/// (CARACAL_STREAMS__0__TOPIC); keys of `properties` with `_` for `.`
/// (CARACAL_KAFKA__PROPERTIES__SASL_USERNAME). A variable with `__` that names no setting is an
/// error; without it, it is somebody else's (Kubernetes sets CARACAL_PORT and the like) and is
/// ignored, CARACAL_CONFIG too. Lists are written as YAML: CARACAL_RULE_FILES='[rules/*.yaml]'.
void ApplyEnvironment(const Environment& environment, const MessageDescriptor& section,
                      YamlNode& root, Diagnostics& diagnostics);

/// --set arguments, "path=value" in order: kafka.group_id=test, streams[0].topic=t,
/// kafka.properties.security.protocol=SSL, rule_files=[a.yaml,b.yaml].
void ApplySets(const std::vector<std::string>& sets, const MessageDescriptor& section,
               YamlNode& root, Diagnostics& diagnostics);

}  // namespace caracal::pipeline
