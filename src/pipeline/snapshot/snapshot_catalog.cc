#include "pipeline/snapshot/snapshot_catalog.h"

#include <limits>
#include <utility>

namespace caracal::pipeline {
namespace {

constexpr uint64_t kGreatest = std::numeric_limits<uint64_t>::max();

/// Below every snapshot at `offset`, and above every earlier one.
SnapshotId FirstAt(int64_t offset) { return {offset, {}}; }
/// Not below any snapshot at `offset`, and below every later one.
SnapshotId LastAt(int64_t offset) { return {offset, {kGreatest, kGreatest}}; }

}  // namespace

std::vector<std::string> SnapshotCatalog::SupersededKeys(const SnapshotId& id) const {
  return KeysOf(snapshots_.begin(), SupersededEnd(id));
}

void SnapshotCatalog::ForgetSuperseded(const SnapshotId& id) {
  snapshots_.erase(snapshots_.begin(), SupersededEnd(id));
}

std::vector<std::string> SnapshotCatalog::KeysBeyond(int64_t committed) const {
  return KeysOf(snapshots_.upper_bound(LastAt(committed)), snapshots_.end());
}

void SnapshotCatalog::ForgetBeyond(int64_t committed) {
  snapshots_.erase(snapshots_.upper_bound(LastAt(committed)), snapshots_.end());
}

SnapshotCatalog::Entries::const_iterator SnapshotCatalog::SupersededEnd(
    const SnapshotId& id) const {
  const auto found = snapshots_.find(id);
  const bool acknowledged = found != snapshots_.end() && found->second.complete;
  return acknowledged ? snapshots_.lower_bound(FirstAt(id.offset)) : snapshots_.begin();
}

std::vector<std::string> SnapshotCatalog::KeysOf(Entries::const_iterator begin,
                                                 Entries::const_iterator end) const {
  std::vector<std::string> keys;
  for (auto snapshot = begin; snapshot != end; ++snapshot) {
    for (const uint32_t index : snapshot->second.chunks) {
      keys.push_back(FormatChunkKey({place_, snapshot->first, index}));
    }
  }
  return keys;
}

}  // namespace caracal::pipeline
