#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/ports/snapshot_store.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/snapshot_writer.h"
#include "pipeline/snapshot/state_restorer.h"
#include "tests/simulation/process.h"

namespace caracal::pipeline::sim {

/// Copies of buckets to the simulated state topic and back: the product's SnapshotWriter and
/// StateRestorer, on tasks in the place of threads.
class SimSnapshots : public SnapshotStore, public SnapshotLoader, private StateLog {
 public:
  explicit SimSnapshots(Process& process);

  // SnapshotStore.
  void Save(std::vector<BucketCopy> snapshots) override;
  std::vector<SavedBucket> TakeSaved() override { return std::exchange(saved_, {}); }
  bool Busy() const override { return writing_ || !waiting_.empty(); }

  // SnapshotLoader.
  absl::StatusOr<std::vector<LoadedState>> Load(std::span<const RestoreRequest> requests,
                                                OffsetStore& offsets) override;
  absl::Status RecordRules(std::span<const LeasePtr> leases) override;
  void Stop() override {}

 private:
  // Images of the simulation are small, and so are their chunks.
  static constexpr size_t kValueBytesMax = 400;

  bool WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) override;
  void WriteLoop();
  /// The whole image of a copy; empty when there is none.
  std::string WholeImageOf(const BucketCopy& copy);
  absl::StatusOr<std::shared_ptr<agents::BucketState>> ReadImage(const ImageRequest& request);
  absl::StatusOr<LoadedState> Read(const RestoreRequest& request, OffsetStore& offsets);
  /// The negative control: buckets whose newest set is not whole begin with nothing at its offset.
  static void TakeParts(const std::map<uint32_t, int64_t>& parts, const StreamPlan& plan,
                        LoadedState& state);

  Process& process_;
  World& world_;
  SnapshotCatalogs catalogs_;
  SnapshotWriter writer_;
  RestoreProbe probe_;
  StateRestorer restorer_;
  /// The last whole image handed over of every bucket of a lease, and its offset.
  std::map<std::pair<LeasePtr, uint32_t>, std::pair<int64_t, std::string>> bases_;
  std::deque<BucketCopy> waiting_;
  std::vector<SavedBucket> saved_;
  bool writing_ = false;
};

}  // namespace caracal::pipeline::sim
