#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// One record for the state topic, until it is acknowledged.
struct StateWrite {
  std::string key;
  std::optional<std::string> value;  ///< nullopt: a tombstone
  bool acknowledged = false;
};

/// Appends to the state topics. One thread.
class StateLog {
 public:
  virtual ~StateLog() = default;
  /// Appends to the partition of `lease` in the topic of its stream; blocks until every write is
  /// acknowledged. False when it gave up (stopping, or something failed after the lease had
  /// lapsed): some may have arrived, some may still.
  [[nodiscard]] virtual bool WriteAll(const PartitionLease& lease,
                                      std::vector<StateWrite>& writes) = 0;
};

}  // namespace caracal::pipeline
