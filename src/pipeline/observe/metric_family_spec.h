#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace caracal::pipeline {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

/// Declares one metric: its name, what it means, and the names of its labels.
struct MetricFamilySpec {
  /// caracal_<what>_<base unit>[_total]: "caracal_records_consumed_total".
  std::string name;
  /// One sentence for people who have never read this code.
  std::string help;
  MetricType type = MetricType::kCounter;
  /// Names of labels whose values come from small closed sets (topic, partition, rule, reason);
  /// never an account, an id or raw text.
  std::vector<std::string> labels = {};
};

/// What is wrong with the declaration, by the naming rules of Prometheus and ours; empty = nothing.
///
///   - prefix caracal_ or process_; lower case, digits, single underscores
///   - counters end in _total; nothing else ends in _total, _count, _sum or _bucket
///   - base units (seconds, bytes, ratio), never ms, minutes, kilobytes or percent
///   - help is one non-empty line
///   - label names are distinct, lower case, and not "le" or "quantile"
std::string MetricSpecProblem(const MetricFamilySpec& spec);

}  // namespace caracal::pipeline
