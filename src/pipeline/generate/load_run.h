#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "pipeline/generate/event_generator.h"
#include "pipeline/generate/label_writer.h"
#include "pipeline/generate/pacing_clock.h"
#include "pipeline/generate/rate_pacer.h"
#include "pipeline/generate/record_sink.h"

namespace caracal::pipeline {

/// When a load ends and how fast it goes.
struct LoadLimits {
  /// Records; nullopt = no limit.
  std::optional<uint64_t> count;
  /// Microseconds of wall time; nullopt = no limit.
  std::optional<int64_t> duration_us;
  /// Records per second of wall time; 0 = as fast as the sink takes them.
  double rate = 0;
};

/// How far a load has come.
struct LoadProgress {
  uint64_t records = 0;
  uint64_t bytes = 0;
  int64_t elapsed_us = 0;
  /// Records the rate had asked for and the load had not sent when it ended.
  uint64_t behind = 0;
};

/// Moves records from a generator to a sink at the asked rate, in chunks of at most 1,024 records,
/// until a limit is reached, the generator ends, `stop` is set or the sink fails. Sleeps on the
/// clock while nothing is due, flushing the sink before at most every 20 ms.
///
/// Owns nothing: everything given must outlive it. One thread; `stop` may be set from a signal
/// handler.
class LoadRun {
 public:
  struct Parts {
    EventGenerator& generator;
    RecordSink& sink;
    /// Null = no labels are kept.
    LabelWriter* labels = nullptr;
    PacingClock& clock;
    const std::atomic<bool>& stop;
    /// Called about ten times a second; may be empty.
    std::function<void(const LoadProgress&)> on_progress;
  };

  LoadRun(const Parts& parts, const LoadLimits& limits);

  /// Runs the load and closes sink and labels. A sink that was cancelled ends the load without an
  /// error. progress() is valid after success and failure.
  absl::Status Run();
  const LoadProgress& progress() const { return progress_; }

 private:
  absl::Status SendUntilDone();
  uint64_t Allowed(int64_t now_us) const;
  absl::Status Send(uint64_t records);
  absl::Status WaitForNext(int64_t now_us);
  void UpdateProgress(int64_t now_us);
  void UpdateBehind(int64_t now_us);
  bool Done(int64_t now_us) const;

  const Parts parts_;
  const LoadLimits limits_;
  const int64_t start_us_;
  std::optional<RatePacer> pacer_;
  LoadProgress progress_;
  bool exhausted_ = false;
  bool unflushed_ = false;
  int64_t flushed_us_;
  int64_t reported_us_;
};

}  // namespace caracal::pipeline
