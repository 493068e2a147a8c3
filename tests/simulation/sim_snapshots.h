#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/ports/snapshot_store.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/snapshot_writer.h"
#include "tests/simulation/process.h"

namespace caracal::pipeline::sim {

/// Copies of buckets to the simulated state topic and back: the product's SnapshotWriter, its
/// chunks and its BucketAssembler, on tasks in the place of threads.
class SimSnapshots : public SnapshotStore, public SnapshotLoader, private StateLog {
 public:
  explicit SimSnapshots(Process& process);

  // SnapshotStore.
  void Save(std::vector<BucketCopy> snapshots) override;
  std::vector<SavedBucket> TakeSaved() override { return std::exchange(saved_, {}); }
  bool Busy() const override { return writing_ || !waiting_.empty(); }

  // SnapshotLoader.
  absl::StatusOr<std::vector<std::shared_ptr<const RestoredState>>> Load(
      std::span<const RestoreRequest> requests) override;
  void Stop() override {}

 private:
  // Images of the simulation are small, and so are their chunks.
  static constexpr size_t kValueBytesMax = 400;

  bool WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) override;
  void WriteLoop();
  std::shared_ptr<const RestoredState> Read(const RestoreRequest& request);

  Process& process_;
  World& world_;
  SnapshotCatalogs catalogs_;
  SnapshotWriter writer_;
  std::deque<BucketCopy> waiting_;
  std::vector<SavedBucket> saved_;
  bool writing_ = false;
};

}  // namespace caracal::pipeline::sim
