#include "pipeline/tools/state_topic_settings.h"

namespace caracal::pipeline {

const std::map<std::string, std::string>& StateTopicSettings() {
  static const auto* const kSettings = new std::map<std::string, std::string>{
      {"cleanup.policy", "compact"},    {"min.cleanable.dirty.ratio", "0.2"},
      {"segment.bytes", "16777216"},    {"segment.ms", "600000"},
      {"delete.retention.ms", "60000"}, {"max.message.bytes", "1048588"},
  };
  return *kSettings;
}

}  // namespace caracal::pipeline
