#include "pipeline/source/start_position.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/source/activation_plan.h"

namespace caracal::pipeline {
namespace {

std::string Name(const PartitionLease& lease) {
  return fmt::format("{} [{}]", lease.topic(), lease.partition());
}

/// The first record that some bucket has not seen.
int64_t ReplayFrom(const PartitionFacts& facts, const LoadedState& state, uint32_t buckets) {
  if (state.buckets->size() < buckets) return state.base;
  int64_t oldest = facts.committed;
  for (const RestoredBucket& bucket : *state.buckets) oldest = std::min(oldest, bucket.offset);
  return oldest;
}

absl::Status RequireInLog(const PartitionFacts& facts) {
  if (facts.committed > facts.log_end) {
    return absl::OutOfRangeError(fmt::format(
        "{}: the committed offset {} lies beyond the end of the log ({}): the topic was re-created "
        "or truncated. Nothing was consumed. If the new log is right, stop the group, run `caracal "
        "offsets set --to beginning --reset-state` for this topic and start again",
        Name(facts.lease), facts.committed, facts.log_end));
  }
  if (facts.committed < facts.log_start) {
    return absl::OutOfRangeError(fmt::format(
        "{}: the committed offset {} has expired: the log now starts at {}, {} records were "
        "deleted before they were judged. Nothing was consumed. To accept the loss, stop the "
        "group, run `caracal offsets set --to beginning --reset-state` for this topic and start "
        "again; without --reset-state, and with `state.state_gap: degrade`, it goes on with the "
        "state that was saved",
        Name(facts.lease), facts.committed, facts.log_start, facts.log_start - facts.committed));
  }
  return absl::OkStatus();
}

absl::Status ReportGap(const PartitionFacts& facts, int64_t wanted, bool degrade) {
  if (!degrade) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: state_gap: the state has to be rebuilt from offset {}, but the log starts at {}: "
        "retention has removed {} records it is made of. Nothing was consumed. Go on with what is "
        "left, alerts marked `state_truncated`, by `state.state_gap: degrade`; or begin with empty "
        "state by `caracal offsets set --to committed --reset-state`",
        Name(facts.lease), wanted, facts.log_start, facts.log_start - wanted));
  }
  LOG(kError, "source",
      "state gap: retention has removed records the state is made of; alerts that rest on what is "
      "left say state_truncated",
      {{"topic", facts.lease.topic()},
       {"partition", facts.lease.partition()},
       {"wanted", wanted},
       {"log_start", facts.log_start}});
  return absl::OkStatus();
}

/// Sets what the state rests on, as it is to be recorded.
absl::Status TakeActivations(const PartitionFacts& facts, const StatePlan& plan, int64_t base,
                             int64_t oldest_copy, StartPosition& position) {
  std::vector<Activation> activations = plan.activations;
  // What lies below the base has left nothing.
  std::erase_if(activations,
                [base](const Activation& activation) { return activation.offset < base; });
  if (activations.size() > OffsetMetadata::kActivationsMax / 2) {
    activations = ForgetActivations(std::move(activations), oldest_copy);
  }
  if (activations.size() > OffsetMetadata::kActivationsMax) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: the rules have changed {} times since the state was last saved, more than can be "
        "recorded. Nothing was consumed. Start with the rules recorded last ({}) until the state "
        "is saved, then change them",
        Name(facts.lease), activations.size() - 1, plan.recorded.rules));
  }
  OffsetMetadata metadata = MetadataOf(std::move(activations), position.alert_from);
  position.activation = metadata.activation;
  position.rules = std::move(metadata.rules);
  position.activations = std::move(metadata.activations);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StatePlan> PlanState(const PartitionFacts& facts, const std::string& rules) {
  RETURN_IF_ERROR(RequireInLog(facts));
  absl::StatusOr<OffsetMetadata> parsed = ParseOffsetMetadata(facts.metadata);
  if (!parsed.ok()) {
    // An operator set the offset with other tools: state is rebuilt from all that is left.
    LOG(kWarning, "source", "committed offset without our metadata: replaying from the log start",
        {{"topic", facts.lease.topic()},
         {"partition", facts.lease.partition()},
         {"committed", facts.committed}});
    StatePlan plan;
    plan.recorded = {facts.log_start, facts.committed, rules};
    plan.activations = ActivationsOf(plan.recorded);
    plan.assumed = true;
    return plan;
  }
  StatePlan plan = {*std::move(parsed), {}};
  plan.activations = PlanActivations(ActivationsOf(plan.recorded), facts.committed, rules);
  return plan;
}

absl::StatusOr<StartPosition> ContinuedPosition(const PartitionFacts& facts, const StatePlan& plan,
                                                const LoadedState& state,
                                                const StartPolicy& policy) {
  StartPosition position;
  position.committed = facts.committed;
  position.alert_from = plan.recorded.alert_from;
  const int64_t wanted = ReplayFrom(facts, state, policy.buckets);
  RETURN_IF_ERROR(TakeActivations(facts, plan, state.base, wanted, position));
  position.replay_from = std::max(wanted, facts.log_start);
  position.state_gap = position.replay_from > wanted;
  if (position.state_gap) {
    RETURN_IF_ERROR(ReportGap(facts, wanted, policy.degrade_on_state_gap));
  }
  position.last = plan.recorded.last;
  for (const StateStart& start : state.starts) {
    if (start.offset > position.replay_from) position.state_starts.push_back(start);
  }
  return position;
}

StartPosition FreshPosition(int64_t from, int64_t alert_from, const std::string& rules) {
  StartPosition position;
  position.activation = from;
  position.replay_from = from;
  position.committed = from;
  position.alert_from = std::max(alert_from, from);
  position.rules = rules;
  return position;
}

absl::Status RequireNoState(const PartitionLease& lease, const LoadedState& state) {
  if (state.newest < 0 && !state.has_rules) return absl::OkStatus();
  const std::string found = state.newest < 0
                                ? "says by which rules it was judged"
                                : fmt::format("holds its state up to offset {}", state.newest);
  return absl::FailedPreconditionError(fmt::format(
      "{}: the group has no committed offset, but the state topic {}: the group's offsets were "
      "deleted or have expired. Nothing was consumed. Set them with `caracal offsets set`, or give "
      "a new group a state topic of its own",
      Name(lease), found));
}

OffsetMetadata MetadataOf(const StartPosition& position) {
  return {position.activation, position.alert_from, position.rules, position.activations,
          position.last};
}

}  // namespace caracal::pipeline
