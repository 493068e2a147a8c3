#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace caracal::pipeline {

/// One thing that was looked at to tell the health of the process.
struct HealthCheck {
  std::string name;  ///< snake_case, stable: probes and runbooks match on it
  bool ok = true;
  std::string detail;  ///< a sentence for people; no payloads, accounts or secrets
};

/// The answer to a health question: `ok`, and the checks it comes from.
struct Health {
  bool ok = true;
  std::vector<HealthCheck> checks;
};

/// What an operator may ask the running engine and tell it. The engine implements it, the admin
/// listener calls it.
///
/// Threads: any. Every call must return within milliseconds (it may take a lock, it must not wait
/// for a broker) and must not throw: the listener serves one request at a time.
class EngineStatus {
 public:
  virtual ~EngineStatus() = default;

  /// A JSON object: version, uptime, partitions with offset and lag, rulesets and activations.
  virtual std::string StatusJson() = 0;
  /// May this instance be given traffic: configuration valid, group joined, producer able to
  /// commit.
  virtual Health Readiness() = 0;
  /// Does the process make progress; false = restart it.
  virtual Health Liveness() = 0;
  /// The effective configuration as YAML, secrets redacted.
  virtual std::string ConfigText() = 0;
  /// Metrics in the Prometheus text format 0.0.4.
  virtual std::string MetricsText() = 0;
  /// Resumes a partition that a storm of rejected records has paused, or every paused one of the
  /// topic (-1). NotFound: none is owned by this instance; FailedPrecondition: not paused.
  virtual absl::Status Resume(std::string_view topic, int32_t partition) = 0;
};

}  // namespace caracal::pipeline
