#include "pipeline/snapshot/snapshot_schedule.h"

#include <algorithm>

#include "agents/api/check.h"

namespace caracal::pipeline {

int64_t SnapshotSchedule::Period() const {
  const auto open = static_cast<int64_t>(std::max<size_t>(1, open_));
  return std::max<int64_t>(options_.buckets, options_.max_replay_records * 2 / (3 * open));
}

void SnapshotSchedule::Open(const LeasePtr& lease, int64_t start,
                            std::span<const RestoredBucket> restored) {
  if (partitions_.size() <= lease->slot()) partitions_.resize(lease->slot() + 1);
  Partition& partition = partitions_[lease->slot()];
  CHECK(partition.lease == nullptr);
  partition.lease = lease;
  ++open_;
  const int64_t period = Period();
  partition.buckets.resize(options_.buckets);
  for (uint32_t i = 0; i < options_.buckets; ++i) {
    // At their own phases: copies are spread over the period.
    partition.buckets[i] = {start, -1, start + period * (i + 1) / options_.buckets};
  }
  for (const RestoredBucket& bucket : restored) {
    partition.buckets[bucket.bucket] = {bucket.offset, -1, bucket.offset + period};
  }
}

void SnapshotSchedule::Close(const LeasePtr& lease) {
  Partition& partition = partitions_[lease->slot()];
  CHECK(partition.lease == lease);
  partition = Partition();
  --open_;
}

bool SnapshotSchedule::HasDue(std::span<const Position> positions) const {
  const int64_t period = Period();
  return std::any_of(positions.begin(), positions.end(), [&](const Position& position) {
    const std::vector<Bucket>& buckets = partitions_[position.lease->slot()].buckets;
    return std::any_of(buckets.begin(), buckets.end(), [&](const Bucket& bucket) {
      return bucket.IsDue(position.next_offset, period);
    });
  });
}

std::vector<DueBucket> SnapshotSchedule::TakeDue(std::span<const Position> positions) {
  std::vector<DueBucket> due;
  const int64_t period = Period();
  for (const Position& position : positions) {
    const Partition& partition = partitions_[position.lease->slot()];
    CHECK(partition.lease == position.lease);
    for (uint32_t i = 0; i < partition.buckets.size(); ++i) {
      const Bucket& bucket = partition.buckets[i];
      if (!bucket.IsDue(position.next_offset, period)) continue;
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
    partitions_[entry.lease->slot()].buckets[entry.bucket].requested = entry.offset;
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
  bucket.due = copy.offset + Period();
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
