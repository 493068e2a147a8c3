#pragma once

#include <string>

#include "pipeline/config/file_reader.h"

namespace caracal::pipeline {

/// The demo's topics.
inline constexpr const char* kDemoSourceTopic = "bank.public.transactions";
inline constexpr const char* kDemoAlertTopic = "fraud.alerts";
inline constexpr const char* kDemoDeadLetterTopic = "fraud.dead-letters";
inline constexpr int32_t kDemoPartitions = 6;

/// The demo's configuration and rule file, held in memory: the same text a user would write. The
/// configuration is "caracal.yaml".
MemoryFileReader DemoFiles(const std::string& bootstrap_servers, const std::string& admin_listen);

}  // namespace caracal::pipeline
