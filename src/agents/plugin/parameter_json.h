#pragma once

#include <string>
#include <string_view>

#include "agents/api/parameters.h"

namespace caracal::agents {

/// Appends `value` as JSON: decimals as plain numbers, texts escaped.
void AppendParameterJson(const ParameterValue& value, std::string& out);

/// All parameters as a JSON object, keys in byte order.
std::string ParametersJson(const Parameters& parameters);

/// `text` as a JSON string, with its quotes. `text` is UTF-8.
std::string QuotedJson(std::string_view text);

}  // namespace caracal::agents
