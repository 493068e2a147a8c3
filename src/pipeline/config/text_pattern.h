#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "agents/api/parameters.h"

namespace caracal::pipeline {

/// Longest pattern, in bytes.
inline constexpr size_t kMaxPatternBytes = 1'000;

/// Compiles the JSON Schema keyword `pattern`: RE2 syntax, matched anywhere in the text unless
/// anchored, in time linear in the text. InvalidArgument with a sentence for a pattern that is too
/// long, too large once compiled (1 MiB), or no regular expression of RE2 (which knows no
/// back-references and no look-around). Any thread.
absl::StatusOr<std::shared_ptr<const agents::TextPattern>> CompilePattern(std::string_view text);

}  // namespace caracal::pipeline
