#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/api/agent_registry.h"
#include "pipeline/commit/commit_thread.h"
#include "pipeline/commit/epoch_coordinator.h"
#include "pipeline/engine/engine_options.h"
#include "pipeline/engine/engine_probe.h"
#include "pipeline/engine/ingest.h"
#include "pipeline/engine/system_clock.h"
#include "pipeline/execute/worker_pool.h"
#include "pipeline/ports/epoch_committer.h"
#include "pipeline/ports/output_sink.h"
#include "pipeline/ports/transaction_sink.h"
#include "pipeline/snapshot/kafka_snapshot_loader.h"
#include "pipeline/snapshot/kafka_snapshot_store.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/source/kafka_source.h"

namespace caracal::pipeline {

/// The composition root: builds every stage from plain options, runs the ingest loop, and stops in
/// order.
///
/// Threads: Create, Start, Run on one thread, which becomes the ingest thread; RequestStop (also
/// from a signal handler's thread) and the accessors on any. Failure: Run returns the sentence that
/// ended it.
class Engine {
 public:
  /// Compiles the rules and connects the clients; nothing runs yet. `registry` is read only here.
  static absl::StatusOr<std::unique_ptr<Engine>> Create(EngineOptions options,
                                                        const agents::AgentRegistry& registry);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Joins the group, starts the threads, and processes until RequestStop or an error. RequestStop
  /// drains: state is copied for the next owners, the last epoch committed and the group left,
  /// within shutdown_timeout. An error leaves the group at once; what was not committed is judged
  /// again by the next owner.
  absl::Status Run();
  void RequestStop();
  /// Called once on the ingest thread when stopping begins; set before Run.
  void set_on_stopping(std::function<void()> on_stopping) { on_stopping_ = std::move(on_stopping); }

  const EngineOptions& options() const { return options_; }
  const EngineProbe& probe() const { return *probe_; }
  const CommitProbe& commit_probe() const { return commit_thread_->probe(); }
  const SourceProbe& source_probe() const { return source_->probe(); }
  const OutputSinkProbe& sink_probe() const { return sink_probe_; }
  /// Null when the state is not saved.
  const SnapshotProbe* snapshot_probe() const {
    return snapshot_store_ == nullptr ? nullptr : &snapshot_store_->probe();
  }
  const RestoreProbe* restore_probe() const {
    return snapshot_loader_ == nullptr ? nullptr : &snapshot_loader_->probe();
  }
  Ingest& ingest() { return *ingest_; }
  const KafkaSource& source() const { return *source_; }
  /// Bytes that the state of the assigned partitions may take. Any thread.
  int64_t state_budget() const {
    return options_.max_bytes_per_partition * source_probe().assigned_partitions.value();
  }
  /// The rulesets of a stream as compiled.
  const std::vector<agents::RulesetInfo>& rulesets(size_t stream) const;
  /// Monotonic microseconds of the last turn of the ingest loop; 0 = not started. Any thread.
  int64_t last_step_micros() const { return last_step_us_.load(std::memory_order_relaxed); }
  bool running() const { return running_.load(std::memory_order_relaxed); }
  const Clock& clock() const { return clock_; }

 private:
  explicit Engine(EngineOptions options) : options_(std::move(options)) {}

  absl::Status Build(const agents::AgentRegistry& registry);
  absl::StatusOr<std::vector<StreamPlan>> MakePlans(const agents::AgentRegistry& registry);
  absl::StatusOr<std::vector<StreamInput>> MakeInputs() const;
  absl::Status MakeCommitter();
  /// Gives the rules of every stream their identity.
  absl::Status MakeRulesRecords();
  absl::Status MakeSnapshots();
  absl::Status Loop();
  /// `drain` false: after an error, when nothing more can be committed.
  absl::Status Stop(bool drain);
  absl::Status Drain(absl::Time deadline);

  EngineOptions options_;
  SystemClock clock_;
  std::vector<StreamPlan> plans_;
  std::vector<RulesRecord> rules_;  ///< by stream index
  std::unique_ptr<EngineProbe> probe_;
  SnapshotCatalogs catalogs_;
  std::unique_ptr<KafkaSnapshotLoader> snapshot_loader_;
  std::unique_ptr<KafkaSnapshotStore> snapshot_store_;
  std::unique_ptr<KafkaSource> source_;
  OutputSinkProbe sink_probe_;
  // One of the two, by delivery.
  std::unique_ptr<OutputSink> sink_;
  std::unique_ptr<TransactionSink> transaction_sink_;
  std::unique_ptr<EpochCommitter> committer_;
  std::unique_ptr<CommitThread> commit_thread_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<EpochCoordinator> epochs_;
  std::unique_ptr<Ingest> ingest_;
  std::function<void()> on_stopping_;
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> running_{false};
  std::atomic<int64_t> last_step_us_{0};
};

}  // namespace caracal::pipeline
