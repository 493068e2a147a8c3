#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/base/cell.h"
#include "pipeline/observe/metric_family_spec.h"

namespace caracal::pipeline {

/// Values of a family's labels, in the order of their names.
using LabelValues = std::vector<std::string>;

/// What a cell counts in, when that is not the base unit of its family.
enum class CellUnit : uint8_t {
  kBase,    ///< records, bytes, seconds: exported as it is
  kMillis,  ///< exported divided by 10^3
  kMicros,  ///< exported divided by 10^6
};

/// Takes the samples of a source that knows its label values only when it is asked.
class SampleWriter {
 public:
  virtual ~SampleWriter() = default;
  virtual void Write(LabelValues labels, double value) = 0;
};

/// Keeps a sample exported; removes it when it is destroyed. Once the destructor has returned, the
/// cell is not read and the callback not called any more: destroy the registration before what it
/// reads. Move-only. Any thread, one at a time.
class [[nodiscard]] MetricRegistration {
 public:
  MetricRegistration() = default;
  explicit MetricRegistration(std::function<void()> remove) : remove_(std::move(remove)) {}
  MetricRegistration(MetricRegistration&& other) noexcept : remove_(std::move(other.remove_)) {
    other.remove_ = nullptr;
  }
  MetricRegistration& operator=(MetricRegistration&& other) noexcept {
    Remove();
    remove_ = std::move(other.remove_);
    other.remove_ = nullptr;
    return *this;
  }
  ~MetricRegistration() { Remove(); }

  /// Removes the sample now.
  void Remove() {
    if (remove_ != nullptr) remove_();
    remove_ = nullptr;
  }

 private:
  std::function<void()> remove_;
};

/// One declared metric. Samples of equal labels are added up, so each worker exports its own cell
/// under the same labels; when one of them goes, Prometheus sees a counter reset. Lives as long as
/// its registry. Any thread.
class MetricFamily {
 public:
  virtual ~MetricFamily() = default;

  /// Exports a cell, which must outlive the registration. Its kind must be the family's type, and
  /// `labels` must have a value for every label name (CHECK).
  virtual MetricRegistration Add(LabelValues labels, const Counter& cell,
                                 CellUnit unit = CellUnit::kBase) = 0;
  virtual MetricRegistration Add(LabelValues labels, const Gauge& cell,
                                 CellUnit unit = CellUnit::kBase) = 0;
  /// Cells of one family have the same bounds (CHECK).
  virtual MetricRegistration Add(LabelValues labels, const DurationHistogram& cell) = 0;
  /// Exports what `read` returns at each scrape; for counters and gauges.
  virtual MetricRegistration Add(LabelValues labels, std::function<double()> read) = 0;
  /// Exports what `source` writes at each scrape, which may be nothing; for counters and gauges.
  virtual MetricRegistration AddSource(std::function<void(SampleWriter&)> source) = 0;
};

/// Holds the metrics of the process and writes them for Prometheus. Stages know only their cells;
/// the composition root declares the families here and registers the cells, partition by partition.
///
/// Threads: any. One lock is held while families or samples change and while a scrape reads them;
/// the threads that write cells never take it. Callbacks run under that lock: they must be quick,
/// must not throw and must not call the registry.
/// Lifetime: the registry outlives its registrations (CHECK).
/// Limits: as many series as owners register; label values are closed sets, see MetricFamilySpec.
class MetricRegistry {
 public:
  MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;
  ~MetricRegistry();

  /// Declares a family; a declaration with a problem (MetricSpecProblem), or a name declared
  /// before, stops the process: both are bugs of ours.
  MetricFamily& Declare(MetricFamilySpec spec);

  /// All samples in the Prometheus text format 0.0.4, sorted by name and labels. Families without
  /// samples are left out.
  std::string Serialize() const;

 private:
  class CellCollectable;

  std::unique_ptr<CellCollectable> cells_;
};

}  // namespace caracal::pipeline
