#include "pipeline/source/start_position.h"

#include <algorithm>

#include <fmt/format.h>

#include "pipeline/base/log.h"
#include "pipeline/types/offset_metadata.h"

namespace caracal::pipeline {
namespace {

std::string Name(const PartitionLease& lease) {
  return fmt::format("{} [{}]", lease.topic(), lease.partition());
}

/// The first record that some bucket has not seen.
int64_t ReplayFrom(const PartitionFacts& facts, int64_t activation) {
  if (facts.state == nullptr || facts.state->size() < facts.buckets) return activation;
  int64_t oldest = facts.committed;
  for (const RestoredBucket& bucket : *facts.state) oldest = std::min(oldest, bucket.offset);
  return std::max(oldest, activation);
}

absl::Status RequireInLog(const PartitionFacts& facts) {
  if (facts.committed > facts.log_end) {
    return absl::OutOfRangeError(fmt::format(
        "{}: the committed offset {} lies beyond the end of the log ({}): the topic was re-created "
        "or truncated. Nothing was consumed. If the new log is right, reset the group's offset "
        "with the Kafka tools (kafka-consumer-groups --reset-offsets) and start again",
        Name(facts.lease), facts.committed, facts.log_end));
  }
  if (facts.committed < facts.log_start) {
    return absl::OutOfRangeError(fmt::format(
        "{}: the committed offset {} has expired: the log now starts at {}, {} records were "
        "deleted before they were judged. Nothing was consumed. To accept the loss, reset the "
        "group's offset with the Kafka tools (kafka-consumer-groups --reset-offsets "
        "--to-earliest) and start again",
        Name(facts.lease), facts.committed, facts.log_start, facts.log_start - facts.committed));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StartPosition> ContinuedPosition(const PartitionFacts& facts) {
  if (absl::Status in_log = RequireInLog(facts); !in_log.ok()) return in_log;
  StartPosition position;
  position.committed = facts.committed;
  absl::StatusOr<OffsetMetadata> parsed = ParseOffsetMetadata(facts.metadata);
  if (parsed.ok()) {
    position.activation = std::min(parsed->activation, facts.committed);
    position.alert_from = parsed->alert_from;
  } else {
    // An operator set the offset with other tools: state is rebuilt from all that is left.
    LOG(kWarning, "source", "committed offset without our metadata: replaying from the log start",
        {{"topic", facts.lease.topic()},
         {"partition", facts.lease.partition()},
         {"committed", facts.committed}});
    position.activation = facts.log_start;
    position.alert_from = facts.committed;
  }
  const int64_t wanted = ReplayFrom(facts, position.activation);
  position.replay_from = std::max(wanted, facts.log_start);
  position.state_gap = position.replay_from > wanted;
  if (position.state_gap) {
    LOG(kWarning, "source",
        "state gap: retention has passed the first record the state was built from",
        {{"topic", facts.lease.topic()},
         {"partition", facts.lease.partition()},
         {"wanted", wanted},
         {"log_start", facts.log_start}});
  }
  return position;
}

StartPosition FreshPosition(int64_t from, int64_t alert_from) {
  StartPosition position;
  position.activation = from;
  position.replay_from = from;
  position.committed = from;
  position.alert_from = std::max(alert_from, from);
  return position;
}

absl::Status RequireNoState(const PartitionFacts& facts) {
  if (facts.state == nullptr || facts.state->empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{}: the group has no committed offset, but the state topic holds its state up to offset "
      "{}: the group's offsets were deleted or have expired. Nothing was consumed. Set them with "
      "the Kafka tools (kafka-consumer-groups --reset-offsets), or give a new group a state topic "
      "of its own",
      Name(facts.lease), facts.state->front().offset));
}

}  // namespace caracal::pipeline
