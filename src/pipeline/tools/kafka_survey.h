#pragma once

#include "absl/status/statusor.h"
#include "pipeline/config/loaded_config.h"
#include "pipeline/kafka/topic_admin.h"
#include "pipeline/tools/kafka_facts.h"

namespace caracal::pipeline {

/// Looks at the topics of a configuration. Changes nothing. Blocks for some seconds at most;
/// `admin` has found a broker.
KafkaFacts SurveyTopics(const LoadedConfig& loaded, TopicAdmin& admin);

/// Tries whether the group can be read and transactions can be begun, with a transactional id of
/// its own (`<group>-doctor`), so that no member is fenced. Blocks for up to some ten seconds.
void SurveyRights(const LoadedConfig& loaded, KafkaFacts& kafka);

}  // namespace caracal::pipeline
