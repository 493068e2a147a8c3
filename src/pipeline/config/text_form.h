#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "caracal/config/v1/annotations.pb.h"

namespace caracal::pipeline {

/// What keeps `text` from having the form, as the end of a sentence that begins with the text
/// ("is not a topic name: ..."); nullopt = nothing. Any thread.
std::optional<std::string> TextFormProblem(caracal::config::v1::TextForm form,
                                           const std::string& text);

/// A regular expression (ECMA 262) for JSON Schema, at most as strict as TextFormProblem; empty
/// when the form does not constrain.
std::string TextFormPattern(caracal::config::v1::TextForm form);

/// An RFC 3339 time in microseconds since 1970: the value of stream start points.
absl::StatusOr<int64_t> ParseTimestamp(const std::string& text);

/// True when the host of "host:port" is the local machine only.
bool IsLoopback(std::string_view host_port);

}  // namespace caracal::pipeline
