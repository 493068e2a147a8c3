#pragma once

#include <string_view>

namespace caracal::pipeline {

/// True when serialised consumer group metadata (rd_kafka_consumer_group_metadata_write) names a
/// generation and a member. A broker skips every check of a transaction's offsets that carry
/// neither, so they must never be sent. False as well for a layout that is not known here.
bool IsFencing(std::string_view group_metadata);

}  // namespace caracal::pipeline
