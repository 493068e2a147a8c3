#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/types/partition_lease.h"

namespace caracal::agents {
class BucketState;
}

namespace caracal::pipeline {

/// A bucket to be copied at a barrier.
struct DueBucket {
  LeasePtr lease;
  uint32_t bucket = 0;
  /// Every record of the partition below this has been dispatched before the barrier, none at or
  /// above it.
  int64_t offset = 0;
  /// Offset of the newest whole copy of this bucket that is durable; -1 = none.
  int64_t base = -1;
};

/// A copy of a bucket's state: everything below `offset` is in it, nothing at or above.
struct BucketCopy {
  LeasePtr lease;
  uint32_t bucket = 0;
  int64_t offset = 0;
  std::string image;
  /// The image holds what has changed since the whole copy at this offset; -1 = it is whole.
  int64_t base = -1;
};

/// A bucket as read back: it has seen every record below `offset`.
struct RestoredBucket {
  uint32_t bucket = 0;
  int64_t offset = 0;
  std::shared_ptr<agents::BucketState> state;
};

/// What was read back for a partition, by bucket; buckets that are not here start empty.
using RestoredState = std::vector<RestoredBucket>;

}  // namespace caracal::pipeline
