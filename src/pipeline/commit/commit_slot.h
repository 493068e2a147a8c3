#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "pipeline/ports/epoch_committer.h"
#include "pipeline/types/epoch.h"

namespace caracal::pipeline {

/// Takes one sealed epoch and later gives what became of it: what the EpochCoordinator knows of the
/// other side. CommitThread is the one that commits on a thread of its own.
///
/// Ingest thread only.
class CommitSlot {
 public:
  virtual ~CommitSlot() = default;

  /// Requires: the result of the epoch before has been taken. Never blocks.
  virtual void Submit(std::shared_ptr<const SealedEpoch> epoch) = 0;
  /// The result of the submitted epoch, once; nullopt = there is none yet. A committer that could
  /// not start gives a fatal one before any epoch.
  virtual std::optional<CommitResult> TakeResult() = 0;
  /// CPU time that the last commit cost, in microseconds.
  virtual int64_t last_cpu_micros() const = 0;
};

}  // namespace caracal::pipeline
