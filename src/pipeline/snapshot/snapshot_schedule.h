#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/ports/snapshot_store.h"
#include "pipeline/types/bucket_copy.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// A copy that lacks records is replaced when it is older, however few they are: their source
/// deletes records by their age, and a bucket is rebuilt from those behind its copy.
inline constexpr int64_t kMaxCopyAgeMicros = 600'000'000;

struct SnapshotScheduleOptions {
  uint32_t buckets = 64;
  /// Records that may have to be replayed when this member's partitions move: what replay manages
  /// within max_recovery.
  int64_t max_replay_records = 3'000'000;
  /// Buckets copied at one barrier, over all partitions: a copy stops its worker for as long as it
  /// takes to write the bucket down. A quarter of those that are due when that is more: a budget
  /// that has fallen, or more partitions, must not leave the debt above it.
  size_t max_buckets_per_barrier = 8;
  int64_t max_age_us = kMaxCopyAgeMicros;
};

/// Decides which buckets are copied when.
///
/// A restored partition is replayed from the oldest copy among its buckets, so what counts is the
/// replay debt: next offset − the oldest copy's offset. Every bucket is copied once in a period of
/// P = ⅔ × max_replay_records ÷ open partitions records, the first time at its own phase of it,
/// oldest copy first; so the debt of all partitions together stays below max_replay_records as
/// long as the store needs less than a third of it. Debt() tells when it does not. A period that
/// changes counts for every bucket at once.
///
/// Ingest thread only. Times are microseconds of a monotonic clock.
class SnapshotSchedule {
 public:
  explicit SnapshotSchedule(SnapshotScheduleOptions options) : options_(options) {}

  /// What replay manages within max_recovery, as measured since.
  void set_max_replay_records(int64_t records) { options_.max_replay_records = records; }

  /// `start` is where buckets that are not in `restored` begin: the partition's activation.
  void Open(const LeasePtr& lease, int64_t start, std::span<const RestoredBucket> restored,
            int64_t now_us);
  void Close(const LeasePtr& lease);

  /// Where a partition stands at the barrier.
  struct Position {
    LeasePtr lease;
    int64_t next_offset = 0;
  };
  /// The buckets to copy at a barrier; they are not due again before NoteSaved.
  std::vector<DueBucket> TakeDue(std::span<const Position> positions, int64_t now_us);
  /// There are such buckets.
  bool HasDue(std::span<const Position> positions, int64_t now_us) const;
  /// This member is about to leave: every bucket whose copy lacks records below where its partition
  /// stands now is due, so that the next owners have little to replay.
  void HandOver(std::span<const Position> positions);
  /// There are such buckets still.
  bool HandsOver() const;
  /// The copy is durable: the store gives none up while the lease lasts.
  void NoteSaved(const SavedBucket& copy);

  /// Records that a new owner would have to replay, up to `next_offset`.
  int64_t Debt(const PartitionLease& lease, int64_t next_offset) const;

 private:
  struct Bucket {
    int64_t saved = 0;       ///< o_b of the newest durable copy
    int64_t requested = -1;  ///< o_b of the copy under way; -1 = none
    int64_t whole = -1;      ///< o_b of the newest durable whole copy made here; -1 = none
    int64_t since_us = 0;    ///< when the newest copy was asked for, or the partition opened
    uint32_t phase = 0;      ///< due after so many of options_.buckets parts of a period
  };
  struct Partition {
    LeasePtr lease;
    std::vector<Bucket> buckets;
    int64_t handed_over = -1;  ///< records below are to be in copies before this member leaves
  };

  int64_t Period() const;
  bool IsDue(const Partition& partition, const Bucket& bucket, int64_t next_offset, int64_t period,
             int64_t now_us) const;

  SnapshotScheduleOptions options_;
  std::vector<Partition> partitions_;  ///< by lease slot
  size_t open_ = 0;
};

}  // namespace caracal::pipeline
