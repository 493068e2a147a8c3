#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/base/cell.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/output_sink.h"

namespace caracal::pipeline {

struct OutputSinkOptions {
  KafkaConnection connection;
  std::string alert_topic;
  std::string dead_letter_topic;
  /// The largest message the producer accepts; dead letters carry the source's bytes whole.
  int64_t max_message_bytes = 16 << 20;
};

/// What the sink counts. Written by the commit thread.
struct OutputSinkProbe {
  Counter send_failures;    ///< messages that had to be sent again
  Counter values_omitted;   ///< dead letters refused as too large and sent without their value
  Counter producer_resets;  ///< the idempotent producer failed for good and was made anew
  Gauge queued_records;     ///< produced and not acknowledged yet
};

/// Delivers alerts and dead letters through an idempotent producer: in order per partition, no
/// duplicates from its own retries. The partition is the source partition modulo the partitions of
/// the target.
///
/// A broker that is slow or down is waited for without a limit; memory is bounded by the one epoch
/// that is delivered. A message refused as too large is final for an alert; a dead letter is sent
/// again without its value and says so in the header `caracal-value-omitted: <bytes>`. Commit
/// thread only, except Cancel.
class KafkaOutputSink : public OutputSink {
 public:
  static absl::StatusOr<std::unique_ptr<KafkaOutputSink>> Create(OutputSinkOptions options);
  ~KafkaOutputSink() override;

  absl::Status Deliver(std::span<const OutputRecord> outputs) override;
  void Cancel() override { cancelled_.store(true, std::memory_order_release); }

  const OutputSinkProbe& probe() const { return probe_; }

 private:
  /// One message of the epoch under way; the delivery report finds it through its address.
  struct Pending {
    const OutputRecord* output = nullptr;
    bool acknowledged = false;
    bool in_flight = false;
    bool omit_value = false;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  };

  explicit KafkaOutputSink(OutputSinkOptions options) : options_(std::move(options)) {}

  static void OnDelivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);
  absl::Status Connect();
  absl::Status DeliverRound(std::vector<Pending>& pending);
  absl::Status ProduceAll(std::vector<Pending>& pending);
  absl::Status Produce(Pending& pending);
  absl::Status AwaitAll();
  /// Makes a new producer when this one has failed for good; Unavailable then: send again.
  absl::Status RenewAfterFatal();
  /// Decides what a failed message becomes: sent again (OK) or final.
  absl::Status Judge(Pending& pending);
  absl::StatusOr<int32_t> TargetPartition(const OutputRecord& output);
  const std::string& TargetTopic(OutputKind kind) const;
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  const OutputSinkOptions options_;
  OutputSinkProbe probe_;
  KafkaClient client_;
  std::atomic<bool> cancelled_{false};
  size_t in_flight_ = 0;
  int32_t alert_partitions_ = 0;        ///< 0 = not known yet
  int32_t dead_letter_partitions_ = 0;  ///< 0 = not known yet
};

}  // namespace caracal::pipeline
