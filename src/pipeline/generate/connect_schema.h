#pragma once

#include <string>

#include "pipeline/generate/generator_options.h"

namespace caracal::pipeline {

/// The `schema` block that Kafka Connect's JsonConverter puts before the payload of a change event:
/// the envelope struct of the profile's table, as Debezium 3.7 describes it.
std::string ConnectValueSchema(LoadProfile profile, const MessageOptions& options);

/// The same for the message key.
std::string ConnectKeySchema(LoadProfile profile, const MessageOptions& options);

}  // namespace caracal::pipeline
