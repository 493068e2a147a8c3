#include "pipeline/snapshot/snapshot_schedule.h"

#include <algorithm>

#include "agents/api/check.h"

namespace caracal::pipeline {

int64_t SnapshotSchedule::Period() const {
  const auto open = static_cast<int64_t>(std::max<size_t>(1, open_));
  return std::max<int64_t>(options_.buckets, options_.max_replay_records * 2 / (3 * open));
}

bool SnapshotSchedule::IsDue(const Partition& partition, const Bucket& bucket, int64_t next_offset,
                             int64_t period, int64_t now_us) const {
  if (bucket.requested >= 0 || next_offset <= bucket.saved) return false;
  return bucket.saved < partition.handed_over ||
         (next_offset - bucket.saved) * options_.buckets >= period * bucket.phase ||
         now_us - bucket.since_us >= options_.max_age_us;
}

void SnapshotSchedule::Open(const LeasePtr& lease, int64_t start,
                            std::span<const RestoredBucket> restored, int64_t now_us) {
  if (partitions_.size() <= lease->slot()) partitions_.resize(lease->slot() + 1);
  Partition& partition = partitions_[lease->slot()];
  CHECK(partition.lease == nullptr);
  partition.lease = lease;
  ++open_;
  partition.buckets.resize(options_.buckets);
  for (uint32_t i = 0; i < options_.buckets; ++i) {
    // At their own phases: copies are spread over the period.
    partition.buckets[i] = {.saved = start, .since_us = now_us, .phase = i + 1};
  }
  for (const RestoredBucket& bucket : restored) {
    partition.buckets[bucket.bucket].saved = bucket.offset;
    partition.buckets[bucket.bucket].phase = options_.buckets;
  }
}

void SnapshotSchedule::Close(const LeasePtr& lease) {
  Partition& partition = partitions_[lease->slot()];
  CHECK(partition.lease == lease);
  partition = Partition();
  --open_;
}

bool SnapshotSchedule::HasDue(std::span<const Position> positions, int64_t now_us) const {
  const int64_t period = Period();
  return std::any_of(positions.begin(), positions.end(), [&](const Position& position) {
    const Partition& partition = partitions_[position.lease->slot()];
    return std::any_of(partition.buckets.begin(), partition.buckets.end(),
                       [&](const Bucket& bucket) {
                         return IsDue(partition, bucket, position.next_offset, period, now_us);
                       });
  });
}

void SnapshotSchedule::HandOver(std::span<const Position> positions) {
  for (const Position& position : positions) {
    partitions_[position.lease->slot()].handed_over = position.next_offset;
  }
}

bool SnapshotSchedule::HandsOver() const {
  return std::any_of(partitions_.begin(), partitions_.end(), [](const Partition& partition) {
    return std::any_of(
        partition.buckets.begin(), partition.buckets.end(),
        [&partition](const Bucket& bucket) { return bucket.saved < partition.handed_over; });
  });
}

std::vector<DueBucket> SnapshotSchedule::TakeDue(std::span<const Position> positions,
                                                 int64_t now_us) {
  std::vector<DueBucket> due;
  const int64_t period = Period();
  for (const Position& position : positions) {
    const Partition& partition = partitions_[position.lease->slot()];
    CHECK(partition.lease == position.lease);
    for (uint32_t i = 0; i < partition.buckets.size(); ++i) {
      const Bucket& bucket = partition.buckets[i];
      if (!IsDue(partition, bucket, position.next_offset, period, now_us)) continue;
      due.push_back({position.lease, i, position.next_offset, bucket.whole});
    }
  }
  const auto age = [this](const DueBucket& entry) {
    return entry.offset - partitions_[entry.lease->slot()].buckets[entry.bucket].saved;
  };
  std::stable_sort(due.begin(), due.end(),
                   [&age](const DueBucket& a, const DueBucket& b) { return age(a) > age(b); });
  const size_t most = std::max(options_.max_buckets_per_barrier, due.size() / 4);
  if (due.size() > most) due.erase(due.begin() + static_cast<ptrdiff_t>(most), due.end());
  for (const DueBucket& entry : due) {
    Bucket& bucket = partitions_[entry.lease->slot()].buckets[entry.bucket];
    bucket.requested = entry.offset;
    bucket.since_us = now_us;
  }
  return due;
}

void SnapshotSchedule::NoteSaved(const SavedBucket& copy) {
  if (copy.lease->slot() >= partitions_.size()) return;
  Partition& partition = partitions_[copy.lease->slot()];
  if (partition.lease != copy.lease) return;
  Bucket& bucket = partition.buckets[copy.bucket];
  bucket.saved = std::max(bucket.saved, copy.offset);
  if (copy.is_whole) bucket.whole = std::max(bucket.whole, copy.offset);
  if (bucket.requested > copy.offset) return;
  bucket.requested = -1;
  bucket.phase = options_.buckets;
}

int64_t SnapshotSchedule::Debt(const PartitionLease& lease, int64_t next_offset) const {
  if (lease.slot() >= partitions_.size()) return 0;
  const Partition& partition = partitions_[lease.slot()];
  if (partition.lease.get() != &lease) return 0;
  int64_t oldest = next_offset;
  for (const Bucket& bucket : partition.buckets) oldest = std::min(oldest, bucket.saved);
  return next_offset - oldest;
}

}  // namespace caracal::pipeline
