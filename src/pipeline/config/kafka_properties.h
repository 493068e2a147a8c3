#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/config/diagnostics.h"

namespace caracal::pipeline {

/// Why a librdkafka property may not be passed through.
struct PropertyProblem {
  DiagnosticCode code = DiagnosticCode::kPropertyOwned;
  std::string message;
  std::string hint;
};

/// Judges one entry of kafka.properties: properties the engine decides, properties that would run
/// code or switch verification off, and spellings of the Java client are refused; anything else is
/// left to librdkafka. Any thread.
std::optional<PropertyProblem> CheckKafkaProperty(std::string_view name, std::string_view value);

}  // namespace caracal::pipeline
