#pragma once

#include <optional>
#include <string>

#include "pipeline/config/diagnostics.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/config/yaml_tree.h"

namespace caracal::pipeline {

/// A YAML file, read and parsed.
struct Document {
  YamlNode root;
  /// Of the file's bytes, 64 hex digits.
  std::string sha256;
};

/// Reads and parses a file of at most 1 MiB and registers it as a source. nullopt when there is
/// nothing to go on with; a file that cannot be read is reported at `named_at`, the place that
/// names it, or without a place.
std::optional<Document> ReadDocument(const std::string& path, const FileReader& files,
                                     Diagnostics& diagnostics, SourceSpan named_at = {});

}  // namespace caracal::pipeline
