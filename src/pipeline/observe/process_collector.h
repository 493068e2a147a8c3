#pragma once

#include <string>
#include <vector>

#include "pipeline/observe/metric_registry.h"

namespace caracal::pipeline {

/// Exports the process_* metrics that every Prometheus client library has (cpu_seconds_total,
/// resident_memory_bytes, virtual_memory_bytes, start_time_seconds, open_fds, max_fds) and
/// process_threads. They are read from /proc at each scrape, some tens of microseconds in all; a
/// value that cannot be read is left out of the scrape, never zero.
///
/// Declares its families in `registry`, which must outlive it: one collector per registry.
class ProcessCollector {
 public:
  /// `proc_root` is where the proc file system is mounted.
  explicit ProcessCollector(MetricRegistry& registry, const std::string& proc_root = "/proc");

 private:
  std::vector<MetricRegistration> registrations_;
};

}  // namespace caracal::pipeline
