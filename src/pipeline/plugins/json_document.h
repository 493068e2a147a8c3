#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace caracal::pipeline {

/// A JSON value that was read, numbers as they were written: what a plugin's schema consists of.
struct JsonDocument {
  enum class Kind { kNull, kBool, kNumber, kText, kArray, kObject };

  Kind kind = Kind::kNull;
  /// kBool: "true" or "false"; kNumber: its digits; kText: the decoded text.
  std::string text;
  std::vector<JsonDocument> items;                            ///< kArray
  std::vector<std::pair<std::string, JsonDocument>> members;  ///< kObject, each key once

  /// Null when this is no object or has no such member.
  const JsonDocument* Find(std::string_view key) const;
};

/// "a text", "an object", ...: for messages.
std::string_view KindText(JsonDocument::Kind kind);

/// Parses RFC 8259 JSON, no more and no less, at most 32 levels deep; keys may not repeat.
/// InvalidArgument with line and column.
absl::StatusOr<JsonDocument> ParseJson(std::string_view text);

}  // namespace caracal::pipeline
