#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "agents/api/agent_registry.h"
#include "bench/prepared_source.h"
#include "pipeline/commit/commit_thread.h"
#include "pipeline/commit/epoch_coordinator.h"
#include "pipeline/engine/engine_options.h"
#include "pipeline/engine/engine_probe.h"
#include "pipeline/engine/ingest.h"
#include "pipeline/execute/worker_pool.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/epoch_committer.h"

namespace caracal::pipeline {

/// Commits every epoch at once and counts. Any thread.
class CountingCommitter : public EpochCommitter {
 public:
  CommitResult Commit(const SealedEpoch& epoch) override {
    outputs_.fetch_add(epoch.outputs.size(), std::memory_order_relaxed);
    epochs_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  void Cancel() override {}
  uint64_t outputs() const { return outputs_.load(std::memory_order_relaxed); }
  uint64_t epochs() const { return epochs_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> outputs_{0};
  std::atomic<uint64_t> epochs_{0};
};

/// The machine's clock, which can be set forward: a commit that is due in 250 ms is due now. Any
/// thread.
class SkippingClock : public Clock {
 public:
  int64_t MonotonicMicros() const override;
  int64_t WallMillis() const override;
  void Skip(int64_t micros) { skipped_us_.fetch_add(micros, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> skipped_us_{0};
};

/// The engine between a source that hands out prepared batches and a committer that counts: the
/// composition of pipeline/engine, without Kafka at either end. State is bounded by memory alone:
/// nothing is evicted. One thread (the ingest thread).
class MeasuredEngine {
 public:
  /// `config`: path of a configuration with one stream; CHECKs that it loads.
  MeasuredEngine(const std::string& config, uint32_t worker_threads, uint32_t partitions);
  ~MeasuredEngine();
  MeasuredEngine(const MeasuredEngine&) = delete;
  MeasuredEngine& operator=(const MeasuredEngine&) = delete;

  PreparedSource& source() { return *source_; }
  /// Judges and commits everything the source has been given.
  void RunToEnd();

  const StreamProbe& probe() const { return *probe_.streams[0]; }
  const CountingCommitter& committer() const { return committer_; }

 private:
  agents::AgentRegistry registry_;
  EngineOptions options_;
  SkippingClock clock_;
  CountingCommitter committer_;
  EngineProbe probe_{1};
  std::unique_ptr<PreparedSource> source_;
  std::unique_ptr<CommitThread> commits_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<EpochCoordinator> epochs_;
  std::unique_ptr<Ingest> ingest_;
};

}  // namespace caracal::pipeline
