#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/base/cell.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/types/epoch.h"

namespace caracal::pipeline {

struct OutputSinkOptions {
  KafkaConnection connection;
  std::string alert_topic;
  std::string dead_letter_topic;
  /// The largest message the producer accepts; dead letters carry the source's bytes whole.
  int64_t max_message_bytes = 16 << 20;
};

/// What is counted on the way out. Written by the commit thread.
struct OutputSinkProbe {
  Counter send_failures;         ///< messages that had to be sent again
  Counter values_omitted;        ///< dead letters refused as too large and sent without their value
  Counter producer_resets;       ///< producers made anew after the first one
  Gauge queued_records;          ///< produced and not acknowledged yet
  Counter transactions_aborted;  ///< and sent again
  Counter transactions_unknown;  ///< whose outcome the committed offsets had to tell
  /// What a committed transaction waited for: its outputs' acknowledgements, its offsets, its end.
  DurationHistogram outputs_step;
  DurationHistogram offsets_step;
  DurationHistogram commit_step;
};

/// The messages of an epoch on their way through one librdkafka producer, for whoever decides what
/// a failure means: KafkaOutputSink, KafkaTransactionSink.
///
/// The partition is the source partition modulo the partitions of the target. A message refused as
/// too large is final for an alert; a dead letter is to be sent again without its value and says so
/// in the header `caracal-value-omitted: <bytes>`. Which these are is remembered until the epoch is
/// through: a producer made anew, or the epoch sealed again, must not send them whole again. Commit
/// thread only, except Cancel.
class OutputProducer {
 public:
  /// One message; the delivery report finds it through its address.
  struct Pending {
    const OutputRecord* output = nullptr;
    bool acknowledged = false;
    bool in_flight = false;
    bool omit_value = false;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  };

  /// `owned` are the properties nothing can override. `probe` must outlive this.
  OutputProducer(OutputSinkOptions options, KafkaProperties defaults, KafkaProperties owned,
                 OutputSinkProbe& probe);
  ~OutputProducer();
  OutputProducer(const OutputProducer&) = delete;
  OutputProducer& operator=(const OutputProducer&) = delete;

  /// Sets a property that nothing can override, for the clients that Connect makes from now on.
  void Own(const std::string& property, std::string value) {
    owned_.insert_or_assign(property, std::move(value));
  }
  /// Makes the client, in the place of the one before.
  absl::Status Connect();
  rd_kafka_t* client() const { return client_.get(); }

  /// Looks for both target topics and warns of those that are missing: the first alert may be hours
  /// away. PermissionDenied when this principal may not write to one. Once; blocks for some seconds
  /// where no broker answers.
  absl::Status LookForTopics();

  std::vector<Pending> PendingOf(std::span<const OutputRecord> outputs) const;
  /// The epoch is durable: what was refused of it is history.
  void ForgetRefused() { refused_.clear(); }
  /// Sends what is not acknowledged and waits for every report. OK: all are acknowledged, or a dead
  /// letter has to be sent again without its value (see AllAcknowledged). Unavailable: some failed
  /// and may be sent again. Cancelled. Other errors are final. Afterwards nothing is in flight.
  absl::Status Send(std::vector<Pending>& pending);
  static bool AllAcknowledged(const std::vector<Pending>& pending);
  /// Serves callbacks for up to `timeout_ms`.
  void Serve(int timeout_ms);

  /// Times the client has reported trouble with a broker since it was made.
  uint64_t disturbances() const { return disturbances_; }

  /// Any thread.
  void Cancel() { cancelled_.store(true, std::memory_order_release); }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

 private:
  static void OnDelivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);
  static void OnError(rd_kafka_t* client, int error, const char* reason, void* opaque);
  absl::Status ProduceAll(std::vector<Pending>& pending);
  absl::Status Produce(Pending& pending);
  absl::Status AwaitAll();
  /// Decides what a failed message becomes: sent again (OK, Unavailable) or final.
  absl::Status Judge(Pending& pending);
  /// Partitions of the target topic; asks until it is there.
  absl::StatusOr<int32_t> TargetPartitions(OutputKind kind);
  const std::string& TargetTopic(OutputKind kind) const;

  const OutputSinkOptions options_;
  const KafkaProperties defaults_;
  KafkaProperties owned_;
  OutputSinkProbe& probe_;
  KafkaClient client_;
  std::atomic<bool> cancelled_{false};
  size_t in_flight_ = 0;
  bool looked_for_topics_ = false;
  /// (lease, offset) of the dead letters of this epoch that are too large for their topic.
  std::set<std::pair<uint64_t, int64_t>> refused_;
  uint64_t disturbances_ = 0;
  int32_t alert_partitions_ = 0;        ///< 0 = not known yet
  int32_t dead_letter_partitions_ = 0;  ///< 0 = not known yet
};

}  // namespace caracal::pipeline
