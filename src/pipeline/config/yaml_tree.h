#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/config/diagnostics.h"

namespace caracal::pipeline {

struct YamlEntry;

/// A YAML value with the place it was written at. Scalars are text: what the text means is decided
/// by the key it is given for, so 4000.00 keeps its digits and `no` stays a country.
struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  /// A scalar in quotes: never a null.
  bool quoted = false;
  SourceSpan span;
  std::string text;
  /// The scalar as written, `${file:...}` and all, when `text` was substituted; else empty.
  std::string reference;
  /// A reference in it could not be resolved: reported already, not to be judged further.
  bool broken = false;
  std::vector<YamlNode> items;
  /// In the order of the file.
  std::vector<YamlEntry> entries;

  /// The value of a key; null when there is none.
  const YamlNode* Find(std::string_view key) const;
  YamlNode* Find(std::string_view key);
};

struct YamlEntry {
  std::string key;
  SourceSpan key_span;
  YamlNode value;
};

/// "a map", "a list", "a text", "nothing": for messages.
std::string_view KindText(const YamlNode& node);

/// What ParseYaml accepts.
struct YamlLimits {
  size_t depth = 24;
  /// Values, keys included; an alias counts for all it stands for.
  size_t nodes = 20'000;
  /// Bytes of all scalars, aliases expanded.
  size_t scalar_bytes = 4 << 20;
};

/// Parses one YAML document, registered as source `source` of `diagnostics`. Aliases are expanded
/// within the limits. Duplicate keys, tags, merge keys, keys that are not plain text, several
/// documents and broken UTF-8 are errors. Returns nullopt when there is no tree to go on with; a
/// tree may come with errors (duplicate keys), so that the rest is checked too. An empty document
/// is an empty map. Throws nothing.
std::optional<YamlNode> ParseYaml(const std::string& text, int32_t source, Diagnostics& diagnostics,
                                  const YamlLimits& limits = {});

}  // namespace caracal::pipeline
