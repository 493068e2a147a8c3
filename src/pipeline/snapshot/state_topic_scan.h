#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {

/// One record of a state topic; its bytes live as long as the call it is passed to.
struct StateTopicRecord {
  int32_t partition = 0;
  int64_t timestamp_ms = -1;
  std::string_view key;    ///< data() == nullptr: none
  std::string_view value;  ///< data() == nullptr: a tombstone
};

/// Passes every record of a state topic to `take`, each partition in log order, up to the ends the
/// log has when it begins; `group`: see MakeReader. For commands: blocks until it is done;
/// Unavailable when no record comes for half a minute, NotFound when there is no such topic.
absl::Status ScanStateTopic(const KafkaConnection& connection, const std::string& group,
                            const std::string& topic,
                            const std::function<void(const StateTopicRecord&)>& take);

}  // namespace caracal::pipeline
