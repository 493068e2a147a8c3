#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/config/diagnostics.h"

/// The forms in which findings are printed. All mask secrets.
namespace caracal::pipeline {

enum class DiagnosticFormat : uint8_t {
  kText,    ///< file:line:col: error[CODE]: message, the line, a caret, a summary
  kJson,    ///< one document: {"errors":1,"warnings":0,"problems":[...]}
  kGithub,  ///< workflow commands that become annotations of a pull request
};

/// "text", "json", "github".
std::optional<DiagnosticFormat> ParseDiagnosticFormat(std::string_view name);

/// Ends with a newline, except when there is nothing to say (text and github forms).
std::string FormatDiagnostics(const Diagnostics& diagnostics, DiagnosticFormat format);

}  // namespace caracal::pipeline
