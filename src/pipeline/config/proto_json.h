#pragma once

#include <functional>
#include <optional>
#include <string>

#include "pipeline/config/json.h"
#include "pipeline/config/settings.h"

namespace caracal::pipeline {

/// Replaces the value of a text setting; `path` is that of the reference, entries of maps included.
/// nullopt = shown as it is.
using TextReplacement = std::function<std::optional<std::string>(
    const std::string& path, const FieldDescriptor& field, const std::string& map_key)>;

/// A section as JSON in the shape and the text forms of the configuration file: durations and sizes
/// with units, whole numbers as numbers, entries of maps by name. Texts, sections, lists and maps
/// that hold nothing are left out.
Json SectionJson(const ProtoMessage& message, const TextReplacement& replace = nullptr,
                 const std::string& path = "");

}  // namespace caracal::pipeline
