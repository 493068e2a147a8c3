#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "pipeline/engine/engine.h"
#include "pipeline/observe/metric_registry.h"
#include "pipeline/ports/engine_status.h"

namespace caracal::pipeline {

/// Answers the admin listener about a running engine: status, health, configuration, metrics,
/// resume.
///
/// Any thread; reads probes and the ingest thread's status snapshot, and never waits for a broker.
/// The engine and the registry must outlive it.
class EngineMonitor : public EngineStatus {
 public:
  /// The ingest loop is stuck when it has not turned for this long.
  static constexpr int64_t kStuckMicros = 30'000'000;

  EngineMonitor(Engine& engine, const MetricRegistry& metrics);

  std::string StatusJson() override;
  Health Readiness() override;
  Health Liveness() override;
  std::string ConfigText() override { return engine_.options().redacted_config; }
  std::string MetricsText() override { return metrics_.Serialize(); }
  absl::Status Resume(std::string_view topic, int32_t partition) override;

 private:
  bool Turning() const;
  HealthCheck MemoryCheck() const;

  Engine& engine_;
  const MetricRegistry& metrics_;
  const int64_t started_us_;
};

}  // namespace caracal::pipeline
