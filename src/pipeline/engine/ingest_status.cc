// What the ingest loop says of its partitions, and how fast it replays.

#include <algorithm>
#include <utility>

#include "pipeline/base/log.h"
#include "pipeline/engine/ingest.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kStatusIntervalMicros = 1'000'000;
/// Until the speed of replay is known: it decides how often state is copied.
constexpr int64_t kFirstLooksMicros = 100'000;
constexpr int64_t kReplayTellMicros = 5'000'000;

}  // namespace

std::vector<PartitionStatus> Ingest::Partitions() const {
  MutexLock lock(&mutex_);
  return status_;
}

void Ingest::UpdateStatus(bool force) {
  const int64_t now = clock_.MonotonicMicros();
  const int64_t look_after = replay_meter_.rate() > 0 ? kStatusIntervalMicros : kFirstLooksMicros;
  if (force || now - replay_looked_us_ >= look_after) MeasureReplay(now);
  if (!force && now - status_updated_us_ < kStatusIntervalMicros) return;
  status_updated_us_ = now;
  std::vector<PartitionStatus> status;
  for (const auto& partition : partitions_) {
    if (partition != nullptr) status.push_back(StatusOf(*partition));
  }
  MutexLock lock(&mutex_);
  status_ = std::move(status);
}

PartitionStatus Ingest::StatusOf(const OpenedPartition& partition) const {
  const StartPosition& position = partition.position;
  PartitionStatus entry;
  entry.topic = partition.lease->topic();
  entry.partition = partition.lease->partition();
  entry.next_offset = partition.next_offset;
  entry.committed_offset = epochs_.CommittedOffset(*partition.lease);
  entry.replay_until = position.committed;
  entry.replaying = partition.next_offset < position.committed;
  if (entry.replaying) {
    const int64_t rate = replay_meter_.rate();
    entry.replay_percent = (partition.next_offset - position.replay_from) * 100 /
                           (position.committed - position.replay_from);
    entry.replay_eta_seconds =
        rate == 0 ? -1 : (replay_left_ + rate - 1) / rate;  // they are replayed side by side
  }
  entry.paused = partition.paused;
  entry.state_gap = position.state_gap;
  entry.rules = position.rules;
  entry.rules_since =
      position.activations.empty() ? position.activation : position.activations.back().offset;
  entry.epoch = epochs_.CommittedEpoch(*partition.lease);
  entry.state_keys = static_cast<int64_t>(partition.state.keys);
  entry.state_bytes = static_cast<int64_t>(partition.state.bytes);
  entry.state_evictions = static_cast<int64_t>(partition.evictions);
  entry.replay_debt = schedule_.Debt(*partition.lease, partition.next_offset);
  return entry;
}

void Ingest::MeasureReplay(int64_t now_us) {
  replay_looked_us_ = now_us;
  int64_t moved = 0;
  int64_t left = 0;
  int64_t all = 0;
  for (const auto& partition : partitions_) {
    if (partition == nullptr) continue;
    const StartPosition& position = partition->position;
    moved += partition->next_offset - partition->measured_offset;
    partition->measured_offset = partition->next_offset;
    if (partition->next_offset >= position.committed) continue;
    left += position.committed - partition->next_offset;
    all += position.committed - position.replay_from;
  }
  replay_left_ = left;
  // Only time from one look to the next with enough to do at both ends counts. Who catches up does
  // all that replay does, and more.
  const bool busy = left > 0 || lagging_;
  if (busy && busy_since_look_us_ >= 0) {
    replay_meter_.Add(std::max<int64_t>(0, moved), now_us - busy_since_look_us_);
  }
  busy_since_look_us_ = busy ? now_us : -1;
  const int64_t rate = replay_meter_.rate();
  const int64_t budget =
      ReplayMeter::Within(options_.max_recovery, rate > 0 ? rate : options_.assumed_replay_rate);
  probe_.replay_rate.Set(rate);
  probe_.replay_budget.Set(budget);
  schedule_.set_max_replay_records(budget);
  if (left == 0 || now_us - replay_told_us_ < kReplayTellMicros) return;
  replay_told_us_ = now_us;
  LOG(kInfo, "engine", "replaying what was committed, to rebuild state",
      {{"records_left", left},
       {"percent", (all - left) * 100 / all},
       {"records_per_second", rate},
       {"seconds_left", rate == 0 ? -1 : (left + rate - 1) / rate}});
}

}  // namespace caracal::pipeline
