#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

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
};

/// Commits offsets through the group (not through a transaction): at_least_once and the first
/// offsets of a fresh partition. Never called for offsets whose alerts are not acknowledged. Any
/// thread; blocks for one round trip to the group coordinator.
class OffsetStore {
 public:
  virtual ~OffsetStore() = default;
  virtual OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) = 0;
};

}  // namespace caracal::pipeline
