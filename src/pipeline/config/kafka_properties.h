#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/config/diagnostics.h"

namespace caracal::pipeline {

/// Why a librdkafka property may not be passed through.
struct PropertyProblem {
  DiagnosticCode code = DiagnosticCode::kPropertyOwned;
  std::string message;
  std::string hint;
};

/// What the Kafka client itself knows of its properties. Given to the loader by whoever knows the
/// client: nothing here does.
struct KafkaClientProperties {
  /// For suggestions.
  std::vector<std::string> names;
  /// The client's words against a name or a value; empty when it takes them.
  std::function<std::string(const std::string& name, const std::string& value)> refusal;
};

/// Judges one entry of kafka.properties: properties the engine decides, properties that would run
/// code or switch verification off, and spellings of the Java client are refused; anything else is
/// left to the client, which is asked when it is given (null = not asked). Any thread.
std::optional<PropertyProblem> CheckKafkaProperty(std::string_view name, std::string_view value,
                                                  const KafkaClientProperties* client = nullptr);

}  // namespace caracal::pipeline
