#include "bench/prepared_source.h"

namespace caracal::pipeline {

PreparedSource::PreparedSource(const std::string& topic, uint32_t partitions) {
  for (uint32_t i = 0; i < partitions; ++i) {
    leases_.push_back(
        std::make_shared<PartitionLease>(i + 1, 0, topic, static_cast<int32_t>(i), i));
  }
}

absl::Status PreparedSource::Poll(absl::Duration max_wait, bool want_records, PollResult& result) {
  result.changes.clear();
  result.records = nullptr;
  if (!opened_) {
    opened_ = true;
    for (const LeasePtr& lease : leases_) {
      result.changes.push_back(PartitionOpened{lease, StartPosition()});
    }
    return absl::OkStatus();
  }
  if (want_records && next_ < batches_.size()) {
    result.records = batches_[next_++];
    return absl::OkStatus();
  }
  MutexLock lock(&mutex_);
  mutex_.AwaitFor(max_wait, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return woken_; });
  woken_ = false;
  return absl::OkStatus();
}

absl::Status PreparedSource::Pause(const LeasePtr& /*lease*/, int64_t /*from*/) {
  return absl::InternalError("prepared records are valid: nothing is to be paused");
}

void PreparedSource::Wake() {
  MutexLock lock(&mutex_);
  woken_ = true;
}

}  // namespace caracal::pipeline
