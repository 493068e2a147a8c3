#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/snapshot/state_log.h"

namespace caracal::pipeline {

/// Writes records to state topics through a plain idempotent producer and waits until the brokers
/// have them. What fails is tried again, through a new producer where the old one is of no use.
///
/// One thread. Bounds: what it is given.
class StateTopicWriter : public StateLog {
 public:
  /// `topics` by stream index. `stopping` is asked several times a second; once it is true, what is
  /// under way is dropped.
  static absl::StatusOr<std::unique_ptr<StateTopicWriter>> Create(const KafkaConnection& connection,
                                                                  std::vector<std::string> topics,
                                                                  std::function<bool()> stopping);
  /// Drops what is not acknowledged.
  ~StateTopicWriter() override;
  StateTopicWriter(const StateTopicWriter&) = delete;
  StateTopicWriter& operator=(const StateTopicWriter&) = delete;

  bool WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) override;
  /// Rounds that had to be tried again.
  uint64_t failures() const { return failures_; }

 private:
  StateTopicWriter(KafkaConnection connection, std::vector<std::string> topics,
                   std::function<bool()> stopping)
      : connection_(std::move(connection)),
        topics_(std::move(topics)),
        stopping_(std::move(stopping)) {}
  absl::Status Connect();
  static void OnDelivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);
  /// A delivery report finds its write through its address.
  void Send(const std::string& topic, int32_t partition, StateWrite& write);

  const KafkaConnection connection_;
  const std::vector<std::string> topics_;
  const std::function<bool()> stopping_;
  KafkaClient client_;
  size_t in_flight_ = 0;
  rd_kafka_resp_err_t last_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  uint64_t failures_ = 0;
};

}  // namespace caracal::pipeline
