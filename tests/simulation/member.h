#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/commit/commit_slot.h"
#include "pipeline/commit/epoch_coordinator.h"
#include "pipeline/engine/engine_probe.h"
#include "pipeline/engine/ingest.h"
#include "pipeline/execute/worker_pool.h"
#include "pipeline/ports/epoch_committer.h"
#include "tests/simulation/process.h"
#include "tests/simulation/sim_outputs.h"
#include "tests/simulation/sim_snapshots.h"
#include "tests/simulation/sim_source.h"

namespace caracal::pipeline::sim {

/// Answers an unknown outcome by itself instead of asking the group: a negative control.
class GuessedOffsets : public OffsetStore {
 public:
  /// `epoch` is the one that is being committed.
  GuessedOffsets(OffsetStore& real, bool committed, const std::shared_ptr<const SealedEpoch>& epoch)
      : real_(real), committed_(committed), epoch_(epoch) {}

  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override {
    return real_.Commit(offsets);
  }
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                         absl::Duration max_wait) override;

 private:
  OffsetStore& real_;
  const bool committed_;
  const std::shared_ptr<const SealedEpoch>& epoch_;
};

/// CommitThread without a thread: the committer runs on a task.
class SimCommitSlot : public CommitSlot {
 public:
  SimCommitSlot(Process& process, OffsetStore& offsets);

  void Submit(std::shared_ptr<const SealedEpoch> epoch) override;
  std::optional<CommitResult> TakeResult() override { return std::exchange(result_, std::nullopt); }
  int64_t last_cpu_micros() const override { return 100; }
  /// The process is dead: what waits returns.
  void Cancel() { committer_->Cancel(); }

 private:
  void CommitLoop();

  Process& process_;
  GuessedOffsets guessed_;
  std::unique_ptr<TransactionSink> transactions_;
  std::unique_ptr<OutputSink> outputs_;
  std::unique_ptr<EpochCommitter> committer_;
  std::deque<std::shared_ptr<const SealedEpoch>> submitted_;
  std::shared_ptr<const SealedEpoch> epoch_;  ///< being committed
  std::optional<CommitResult> result_;
};

/// A member of the group: the engine's ingest loop, workers, coordinator, committer and snapshot
/// schedule as they are, between the simulated ports.
class Member {
 public:
  Member(World& world, std::string name, const Rules& rules);
  ~Member() { Crash(); }

  /// A turn of the ingest loop.
  void Step();
  /// A turn of the consumer's own thread.
  void Tick() { source_.Tick(); }
  /// One of the other tasks goes on; false = all of them wait.
  bool ResumeOne() { return process_.ResumeOne(); }
  void Crash();
  /// Ends as SIGTERM ends a process: copies state, commits what has been judged, leaves. `turn`:
  /// what the others do meanwhile.
  void Stop(std::function<void()> turn);
  bool stopping() const { return stopping_; }

  /// Compares the state of every open partition with a fresh run.
  void CheckState();
  const std::string& name() const { return process_.name; }
  /// Partitions that are open and replayed.
  int32_t LivePartitions() const;

  // Until then the process stands still (SIGSTOP), or its heartbeats do not arrive.
  int64_t frozen_until_us = 0;
  int64_t cut_off_until_us = 0;

 private:
  void CheckConservation();
  /// All it has taken is committed, but for what was taken from it.
  void CheckDrained();
  /// The engine must go on.
  void Check(const absl::Status& status);

  Process process_;
  World& world_;
  SimOffsets offsets_;
  SimSnapshots snapshots_;
  SimSource source_;
  SimCommitSlot commits_;
  bool stopping_ = false;
  EngineProbe probe_{1};
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<EpochCoordinator> epochs_;
  std::unique_ptr<Ingest> ingest_;
};

}  // namespace caracal::pipeline::sim
