#pragma once

#include <string>
#include <vector>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/recovery_estimate.h"
#include "pipeline/observe/metric_registry.h"

namespace caracal::pipeline {

/// Every metric of a running engine: the names, the help texts, the labels, and which cell is
/// behind each. The stages know only their cells; this is the one place that names them.
///
/// Declares in `registry` and reads `engine` at each scrape; both must outlive it. Any thread
/// scrapes.
class MetricsCatalog {
 public:
  MetricsCatalog(MetricRegistry& registry, Engine& engine);

 private:
  void AddBuildInfo();
  void DeclareRules();
  void AddStreams();
  void AddPlugins();
  void AddRules(size_t stream);
  void AddDelivery();
  void AddSnapshots();
  void AddSource();
  void AddPartitions();
  void AddRecovery();
  void AddMemory();
  /// Of the open partitions, all together.
  RecoveryWork Work() const;
  void Keep(MetricRegistration registration) { kept_.push_back(std::move(registration)); }
  MetricFamily& Declare(MetricType type, std::string name, std::string help,
                        std::vector<std::string> labels = {});

  MetricRegistry& registry_;
  Engine& engine_;
  MetricFamily* rule_hits_ = nullptr;
  MetricFamily* rule_evaluations_ = nullptr;
  MetricFamily* rule_late_ = nullptr;
  MetricFamily* rule_inactive_ = nullptr;
  MetricFamily* rule_at_least_ = nullptr;
  MetricFamily* rule_errors_ = nullptr;
  MetricFamily* alerts_ = nullptr;
  std::vector<MetricRegistration> kept_;
};

}  // namespace caracal::pipeline
