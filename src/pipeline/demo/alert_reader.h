#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "pipeline/demo/run_recorder.h"
#include "pipeline/demo/scoreboard.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// Reads the alerts topic as a downstream consumer would and tells the scoreboard, on a thread of
/// its own.
class AlertReader {
 public:
  /// `recorder` may be null; it and the scoreboard must outlive the reader.
  AlertReader(std::string bootstrap_servers, std::string topic, int32_t partitions,
              Scoreboard& scoreboard, RunRecorder* recorder);
  ~AlertReader();

  absl::Status Start();
  void Stop();

 private:
  void Run();
  void Read(const rd_kafka_message_t& message);

  const std::string bootstrap_servers_;
  const std::string topic_;
  const int32_t partitions_;
  Scoreboard& scoreboard_;
  RunRecorder* const recorder_;
  KafkaClient client_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace caracal::pipeline
