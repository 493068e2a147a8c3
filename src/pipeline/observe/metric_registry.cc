#include "pipeline/observe/metric_registry.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <sstream>
#include <utility>
#include <variant>

#include "agents/api/check.h"
#include "pipeline/base/utf8.h"

namespace caracal::pipeline {
namespace {

double Divisor(CellUnit unit) {
  switch (unit) {
    case CellUnit::kBase:
      return 1;
    case CellUnit::kMillis:
      return 1e3;
    case CellUnit::kMicros:
      return 1e6;
  }
  return 1;
}

prometheus::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

struct CounterSample {
  LabelValues labels;
  const Counter* cell;
  double divisor;
};
struct GaugeSample {
  LabelValues labels;
  const Gauge* cell;
  double divisor;
};
struct HistogramSample {
  LabelValues labels;
  const DurationHistogram* cell;
};
struct CallbackSample {
  LabelValues labels;
  std::function<double()> read;
};
struct SourceSample {
  std::function<void(SampleWriter&)> write;
};
using Sample =
    std::variant<CounterSample, GaugeSample, HistogramSample, CallbackSample, SourceSample>;

/// What the samples of equal labels add up to.
struct Total {
  double value = 0;
  std::array<uint64_t, DurationHistogram::kBuckets + 1> buckets = {};
  double sum_seconds = 0;
  /// Where the bounds of the buckets come from: the same for all cells of the labels.
  const DurationHistogram* bounds = nullptr;
};

/// Adds samples up by labels, in the order of the labels.
class Totals final : public SampleWriter {
 public:
  explicit Totals(size_t label_count) : label_count_(label_count) {}

  void Write(LabelValues labels, double value) override {
    CHECK(labels.size() == label_count_);
    totals_[std::move(labels)].value += value;
  }
  void operator()(const CounterSample& sample) {
    totals_[sample.labels].value += static_cast<double>(sample.cell->value()) / sample.divisor;
  }
  void operator()(const GaugeSample& sample) {
    totals_[sample.labels].value += static_cast<double>(sample.cell->value()) / sample.divisor;
  }
  void operator()(const HistogramSample& sample) {
    Total& total = totals_[sample.labels];
    if (total.bounds == nullptr) total.bounds = sample.cell;
    CHECK(sample.cell->UpperBoundMicros(0) == total.bounds->UpperBoundMicros(0));
    for (size_t i = 0; i < total.buckets.size(); ++i) total.buckets[i] += sample.cell->count(i);
    total.sum_seconds += static_cast<double>(sample.cell->sum_micros()) / 1e6;
  }
  void operator()(const CallbackSample& sample) { totals_[sample.labels].value += sample.read(); }
  void operator()(const SourceSample& sample) { sample.write(*this); }

  const std::map<LabelValues, Total>& totals() const { return totals_; }

 private:
  const size_t label_count_;
  std::map<LabelValues, Total> totals_;
};

prometheus::ClientMetric::Histogram HistogramOf(const Total& total) {
  prometheus::ClientMetric::Histogram histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < DurationHistogram::kBuckets; ++i) {
    cumulative += total.buckets[i];
    const double bound = static_cast<double>(total.bounds->UpperBoundMicros(i)) / 1e6;
    histogram.bucket.push_back({cumulative, bound});
  }
  histogram.sample_count = cumulative + total.buckets[DurationHistogram::kBuckets];
  histogram.sample_sum = total.sum_seconds;
  return histogram;
}

/// The samples of one family. `mutex` is the registry's.
class CellFamily final : public MetricFamily {
 public:
  CellFamily(MetricFamilySpec spec, std::mutex& mutex) : spec_(std::move(spec)), mutex_(mutex) {}
  ~CellFamily() override { CHECK(samples_.empty()); }

  MetricRegistration Add(LabelValues labels, const Counter& cell, CellUnit unit) override {
    CHECK(spec_.type == MetricType::kCounter);
    return Insert(CounterSample{Checked(std::move(labels)), &cell, Divisor(unit)});
  }
  MetricRegistration Add(LabelValues labels, const Gauge& cell, CellUnit unit) override {
    CHECK(spec_.type == MetricType::kGauge);
    return Insert(GaugeSample{Checked(std::move(labels)), &cell, Divisor(unit)});
  }
  MetricRegistration Add(LabelValues labels, const DurationHistogram& cell) override {
    CHECK(spec_.type == MetricType::kHistogram);
    return Insert(HistogramSample{Checked(std::move(labels)), &cell});
  }
  MetricRegistration Add(LabelValues labels, std::function<double()> read) override {
    CHECK(spec_.type != MetricType::kHistogram);
    return Insert(CallbackSample{Checked(std::move(labels)), std::move(read)});
  }
  MetricRegistration AddSource(std::function<void(SampleWriter&)> source) override {
    CHECK(spec_.type != MetricType::kHistogram);
    return Insert(SourceSample{std::move(source)});
  }

  /// The caller holds the lock.
  prometheus::MetricFamily Collect() const {
    Totals totals(spec_.labels.size());
    for (const auto& [id, sample] : samples_) std::visit(totals, sample);
    prometheus::MetricFamily family;
    family.name = spec_.name;
    family.help = spec_.help;
    family.type = TypeOf(spec_.type);
    for (const auto& [labels, total] : totals.totals()) {
      family.metric.push_back(MetricOf(labels, total));
    }
    return family;
  }

 private:
  LabelValues Checked(LabelValues labels) const {
    CHECK(labels.size() == spec_.labels.size());
    return labels;
  }

  MetricRegistration Insert(Sample sample) {
    const std::lock_guard lock(mutex_);
    const uint64_t id = next_id_++;
    samples_.emplace(id, std::move(sample));
    return MetricRegistration([this, id] { Erase(id); });
  }

  void Erase(uint64_t id) {
    const std::lock_guard lock(mutex_);
    samples_.erase(id);
  }

  prometheus::ClientMetric MetricOf(const LabelValues& labels, const Total& total) const {
    prometheus::ClientMetric metric;
    for (size_t i = 0; i < labels.size(); ++i) {
      // One value that is not UTF-8 would make Prometheus refuse the whole scrape.
      metric.label.push_back({spec_.labels[i], ReplaceInvalidUtf8(labels[i])});
    }
    metric.counter.value = total.value;
    metric.gauge.value = total.value;
    if (spec_.type == MetricType::kHistogram) metric.histogram = HistogramOf(total);
    return metric;
  }

  const MetricFamilySpec spec_;
  std::mutex& mutex_;
  uint64_t next_id_ = 0;
  std::map<uint64_t, Sample> samples_;
};

}  // namespace

/// What prometheus-cpp sees of the registry.
class MetricRegistry::CellCollectable final : public prometheus::Collectable {
 public:
  MetricFamily& Declare(MetricFamilySpec spec) {
    const std::string problem = MetricSpecProblem(spec);
    if (!problem.empty()) agents::CheckFailed(__FILE__, __LINE__, problem.c_str());
    const std::lock_guard lock(mutex_);
    auto [family, inserted] = families_.try_emplace(spec.name);
    CHECK(inserted);
    family->second = std::make_unique<CellFamily>(std::move(spec), mutex_);
    return *family->second;
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard lock(mutex_);
    std::vector<prometheus::MetricFamily> collected;
    for (const auto& [name, family] : families_) {
      prometheus::MetricFamily samples = family->Collect();
      if (!samples.metric.empty()) collected.push_back(std::move(samples));
    }
    return collected;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<CellFamily>> families_;
};

MetricRegistry::MetricRegistry() : cells_(std::make_unique<CellCollectable>()) {}
MetricRegistry::~MetricRegistry() = default;

MetricFamily& MetricRegistry::Declare(MetricFamilySpec spec) {
  return cells_->Declare(std::move(spec));
}

std::string MetricRegistry::Serialize() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, cells_->Collect());
  return std::move(text).str();
}

}  // namespace caracal::pipeline
