#pragma once

#include "caracal/config/v1/config.pb.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/path_spans.h"

namespace caracal::pipeline {

/// Checks what no single setting can say: Kafka properties, topics used twice, fields that need
/// each other, an exposed admin listener. Reports at the settings' places. Requires defaults filled
/// in, stream keys and state topics included.
void CheckConfig(const caracal::config::v1::Config& config, const PathSpans& spans,
                 Diagnostics& diagnostics);

}  // namespace caracal::pipeline
