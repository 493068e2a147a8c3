#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace caracal::pipeline {

/// The client ids of a group's members, also of those that died without leaving, until their
/// sessions are over. Empty for a group that does not exist. Blocks for some seconds at most;
/// Unavailable when no broker answers.
absl::StatusOr<std::vector<std::string>> GroupMembers(rd_kafka_t* client, const std::string& group);

}  // namespace caracal::pipeline
