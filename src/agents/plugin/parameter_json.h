#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agents/api/parameters.h"

namespace caracal::agents {

/// What stands for a file.
enum class FileForm : uint8_t {
  kPath,   ///< where it lies
  kDigest  ///< its SHA-256: the same wherever it lies
};

/// Appends `value` as JSON: decimals as plain numbers, texts escaped.
void AppendParameterJson(const ParameterValue& value, FileForm files, std::string& out);

/// All parameters as a JSON object, keys in byte order.
std::string ParametersJson(const Parameters& parameters, FileForm files);

/// `text` as a JSON string, with its quotes. `text` is UTF-8.
std::string QuotedJson(std::string_view text);

}  // namespace caracal::agents
