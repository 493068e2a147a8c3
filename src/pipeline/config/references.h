#pragma once

#include <map>
#include <string>

#include "pipeline/config/diagnostics.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/config/yaml_tree.h"

namespace caracal::pipeline {

using Environment = std::map<std::string, std::string>;

/// What references may refer to.
struct ReferenceScope {
  const FileReader* files = nullptr;         ///< not owned
  const Environment* environment = nullptr;  ///< not owned
  /// The file whose directory relative paths start from.
  std::string base_file;
};

/// Replaces ${env:NAME}, ${env:NAME:-default} and ${file:PATH} in the scalar values (not the keys)
/// of a parsed tree. Because it happens after parsing, no value can smuggle in YAML. What is
/// substituted is not searched again; `$${` is a literal `${`. A default is also used for an empty
/// variable. A file's one final line break is left out; any other line break is an error. What
/// comes from files is registered as secret. Problems leave the node marked `broken`.
void ResolveReferences(const ReferenceScope& scope, YamlNode& root, Diagnostics& diagnostics);

}  // namespace caracal::pipeline
