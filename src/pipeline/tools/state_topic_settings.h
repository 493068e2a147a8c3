#pragma once

#include <map>
#include <string>

namespace caracal::pipeline {

/// Kafka's settings of a state topic, as `caracal init` makes it and `caracal doctor` expects it: a
/// log that is compacted early, so that it is little more than the state it holds.
const std::map<std::string, std::string>& StateTopicSettings();

}  // namespace caracal::pipeline
