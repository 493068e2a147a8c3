#pragma once

#include <string>
#include <string_view>

#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// The metadata of the consumer's group as it is now, serialised
/// (rd_kafka_consumer_group_metadata_write); empty = none. Any thread.
std::string ReadGroupMetadata(rd_kafka_t* consumer);

/// The member that serialised consumer group metadata names; empty when it does not fence: without
/// a generation or a member, or in a layout that is not known here. A broker skips every check of a
/// transaction's offsets that carry neither, so they must never be sent. A view of
/// `group_metadata`.
std::string_view FencingMember(std::string_view group_metadata);

}  // namespace caracal::pipeline
