#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// One offset to commit for the consumer group.
struct OffsetCommit {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;    ///< the next record to consume
  std::string metadata;  ///< ASCII, at most 4096 bytes
};

enum class OffsetCommitOutcome : uint8_t {
  kCommitted,
  kRebalancing,  ///< withheld or refused: the group is changing; nothing was committed
  kTransient,    ///< may work when tried again
  kFatal,        ///< will not work; see the message
};

struct OffsetCommitResult {
  OffsetCommitOutcome outcome = OffsetCommitOutcome::kCommitted;
  std::string message;
  absl::StatusCode code = absl::StatusCode::kInternal;  ///< of kFatal: what kind of error it is
};

/// What the group has committed for a partition.
struct CommittedOffset {
  int64_t offset = -1;  ///< -1 = never committed
  std::string metadata;
};

/// The group's committed offsets. Any thread; every call blocks for one round trip to the group
/// coordinator.
class OffsetStore {
 public:
  virtual ~OffsetStore() = default;
  /// Commits through the group (not through a transaction): at_least_once and the first offsets of
  /// a fresh partition. Never called for offsets whose alerts are not acknowledged.
  virtual OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) = 0;
  /// The stable committed offsets, in the order of `leases`: an open transaction on one of them is
  /// waited for, at most `max_wait`, and holds up the answer for all. Unavailable = try again.
  virtual absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                                 absl::Duration max_wait) = 0;
};

}  // namespace caracal::pipeline
