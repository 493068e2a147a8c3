#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/fetch_waker.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/record_reader.h"

namespace caracal::pipeline {

/// Reads single records through a consumer of its own, which joins no group and is made at the
/// first call. Restore thread only. Bounds: ten seconds per call, about a megabyte fetched per
/// partition.
class KafkaRecordReader : public RecordReader {
 public:
  /// `group`: the engine's own, see MakeReader.
  KafkaRecordReader(KafkaConnection connection, std::string group)
      : connection_(std::move(connection)), group_(std::move(group)) {}

  absl::StatusOr<std::vector<std::optional<RecordMark>>> Read(
      std::span<const RecordPlace> places) override;
  void Stop() override { stopped_.store(true, std::memory_order_release); }

 private:
  /// What is known of the partitions asked for, by topic and partition.
  struct Answer {
    int64_t offset = 0;
    bool done = false;
    std::optional<RecordMark> mark;
  };
  using Answers = std::map<std::pair<std::string, int32_t>, Answer>;

  absl::Status Connect();
  absl::Status Assign(const Answers& answers);
  absl::Status Collect(Answers& answers);
  static absl::Status Take(const rd_kafka_message_t& message, Answers& answers);

  const KafkaConnection connection_;
  const std::string group_;
  KafkaClient client_;
  std::optional<FetchWaker> waker_;  ///< of the client
  std::atomic<bool> stopped_{false};
};

}  // namespace caracal::pipeline
