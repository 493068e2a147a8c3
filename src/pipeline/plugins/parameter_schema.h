#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/api/parameters.h"

namespace caracal::pipeline {

/// Turns a plugin's JSON Schema into the parameters a rule of it may have: from there on they are
/// parsed, checked, listed and documented like those of the built-in agents.
///
/// The document is an object schema. Known: type (boolean, integer, number, string, array of
/// strings, object), properties, required, additionalProperties (false: unknown keys are always
/// refused), enum (of strings), format ("file": an absolute path, see ParameterFile), minimum and
/// maximum (of numbers), items, default (of plain values), description; title, $schema, $id,
/// $comment and examples are passed over. Any other keyword is refused, for what it demands would
/// not be checked. InvalidArgument with the place: "properties.max.minimum: ...".
absl::StatusOr<std::vector<agents::ParameterSpec>> ParseParameterSchema(std::string_view json);

}  // namespace caracal::pipeline
