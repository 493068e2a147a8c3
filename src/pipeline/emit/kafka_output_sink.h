#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/emit/output_producer.h"
#include "pipeline/ports/output_sink.h"

namespace caracal::pipeline {

/// delivery: at_least_once. Delivers alerts and dead letters through an idempotent producer: in
/// order per partition, no duplicates from its own retries.
///
/// A broker that is slow or down is waited for without a limit; memory is bounded by the one epoch
/// that is delivered. Commit thread only, except Cancel.
class KafkaOutputSink : public OutputSink {
 public:
  /// `probe` must outlive the sink.
  static absl::StatusOr<std::unique_ptr<KafkaOutputSink>> Create(const OutputSinkOptions& options,
                                                                 OutputSinkProbe& probe);

  absl::Status Start() override { return producer_.LookForTopics(); }
  absl::Status Deliver(std::span<const OutputRecord> outputs) override;
  void Cancel() override { producer_.Cancel(); }

 private:
  KafkaOutputSink(const OutputSinkOptions& options, OutputSinkProbe& probe);
  /// Makes a new producer when this one has failed for good; Unavailable then: send again.
  absl::Status RenewAfterFatal();

  OutputProducer producer_;
};

}  // namespace caracal::pipeline
