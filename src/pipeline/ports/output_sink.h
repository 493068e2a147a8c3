#pragma once

#include <span>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/types/epoch.h"

namespace caracal::pipeline {

/// Delivers alerts and dead letters at least once, in order per source partition. Commit thread
/// only, except Cancel.
class OutputSink {
 public:
  virtual ~OutputSink() = default;

  /// Called once, before the first Deliver: what takes a while at the start. An error that will not
  /// pass is final, Cancelled is not one.
  virtual absl::Status Start() { return absl::OkStatus(); }
  /// Sends `outputs` and returns when every one is acknowledged. Retries what may pass, for as long
  /// as it takes; an error is final. Cancelled after Cancel: some may have been delivered.
  virtual absl::Status Deliver(std::span<const OutputRecord> outputs) = 0;
  /// Makes a Deliver that waits return soon. Any thread.
  virtual void Cancel() = 0;
};

}  // namespace caracal::pipeline
