#pragma once

#include "absl/status/statusor.h"
#include "pipeline/config/loaded_config.h"
#include "pipeline/engine/engine_options.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {

/// The plain options of every stage from a loaded configuration: the only place where both are
/// known. FailedPrecondition when this machine cannot hold what the configuration asks for.
absl::StatusOr<EngineOptions> OptionsFromConfig(const LoadedConfig& loaded);

/// How to reach the cluster, without the properties of the consumer or the producer alone.
KafkaConnection ConnectionFromConfig(const LoadedConfig& loaded);

/// What the state of one partition may take and what the process may, in bytes.
struct MemoryBudget {
  int64_t per_partition = 0;
  int64_t limit = 0;
  /// One partition at least can be held.
  bool fits() const { return per_partition <= limit; }
};
/// As configured; on this machine, where the limit is not configured.
MemoryBudget MemoryBudgetFromConfig(const LoadedConfig& loaded);

/// The cgroup's memory limit, else 80 % of the machine's memory, in bytes.
int64_t DefaultMemoryLimit();

}  // namespace caracal::pipeline
