#pragma once

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "absl/time/time.h"
#include "pipeline/base/log.h"
#include "pipeline/ports/clock.h"

namespace caracal::pipeline {

enum class LogFormat : uint8_t {
  kAuto,   ///< kHuman on a terminal, else kJson
  kJson,   ///< one JSON object per line
  kHuman,  ///< text for people
};

struct LogSinkOptions {
  LogFormat format = LogFormat::kAuto;
  /// Lines below it are neither written nor counted.
  LogSeverity min_severity = LogSeverity::kInfo;
  /// Where lines go; not owned.
  int fd = STDERR_FILENO;

  /// Lines waiting for the writer thread; about 0.5 KiB each, allocated at start.
  size_t queue_lines = 4096;
  /// How long Write(kError) may wait for its line to be written, so that a crash that follows does
  /// not take it along.
  absl::Duration error_flush_timeout = absl::Milliseconds(100);
  /// How long the destructor may wait for a slow reader.
  absl::Duration shutdown_timeout = absl::Seconds(2);
};

/// Writes the process's log lines from a thread of its own, so that a slow terminal or a full pipe
/// never holds up the one that logs: when the queue is full, the oldest line is dropped and
/// counted.
///
/// Threads: Write, Flush and the counts from any. Lifetime: install it with SetLogSink, and install
/// another (or null) before destroying it.
/// Failure: a descriptor that cannot be written to loses lines, counted in dropped_lines(). Nothing
/// is thrown. A closed pipe raises SIGPIPE, which the process is expected to ignore.
class SpdlogSink final : public LogSink {
 public:
  /// `clock` gives the lines their time and must outlive the sink.
  explicit SpdlogSink(const Clock& clock, const LogSinkOptions& options = {});
  SpdlogSink(const SpdlogSink&) = delete;
  SpdlogSink& operator=(const SpdlogSink&) = delete;
  /// Flushes, for at most options.shutdown_timeout; drops and counts what is left.
  ~SpdlogSink() override;

  void Write(LogSeverity severity, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields, uint64_t suppressed) override;

  /// Waits until every line written by this thread before is out or dropped. False: it took longer
  /// than `timeout`.
  bool Flush(absl::Duration timeout);

  /// Lines taken since the start, for caracal_log_messages_total{level}.
  uint64_t lines(LogSeverity severity) const;
  /// Lines taken and then lost: overrun in the queue or refused by the descriptor.
  uint64_t dropped_lines() const;

 private:
  class Queue;

  const Clock& clock_;
  const LogSinkOptions options_;
  const bool human_;
  std::array<std::atomic<uint64_t>, 4> lines_ = {};
  std::unique_ptr<Queue> queue_;
};

}  // namespace caracal::pipeline
