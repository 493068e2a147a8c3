#pragma once

#include "caracal/config/v1/config.pb.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/kafka_properties.h"
#include "pipeline/config/path_spans.h"

namespace caracal::pipeline {

/// Checks what no single setting can say: Kafka properties, topics used twice, fields that need
/// each other, an exposed admin listener. Reports at the settings' places. Requires defaults filled
/// in, stream keys and state topics included. `client` null = the Kafka client is not asked.
void CheckConfig(const caracal::config::v1::Config& config, const PathSpans& spans,
                 const KafkaClientProperties* client, Diagnostics& diagnostics);

}  // namespace caracal::pipeline
