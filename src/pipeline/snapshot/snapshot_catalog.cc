#include "pipeline/snapshot/snapshot_catalog.h"

#include <limits>
#include <utility>

namespace caracal::pipeline {
namespace {

constexpr uint64_t kGreatest = std::numeric_limits<uint64_t>::max();

/// Below every snapshot at `offset`, and above every earlier one.
SnapshotId FirstAt(int64_t offset) { return {offset, {}, 0}; }
/// Not below any snapshot at `offset`, and below every later one.
SnapshotId LastAt(int64_t offset) { return {offset, {kGreatest, kGreatest}}; }

}  // namespace

const CatalogEntry* SnapshotCatalog::FindComplete(const SnapshotId& id) const {
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end() || !found->second.complete) return nullptr;
  if (!id.is_whole() && FindComplete(id.BaseId()) == nullptr) return nullptr;
  return &found->second;
}

std::vector<std::string> SnapshotCatalog::SupersededKeys(const SnapshotId& id) const {
  std::vector<std::string> keys;
  for (const SnapshotId& old : Superseded(id)) AppendKeys(old, snapshots_.at(old), keys);
  return keys;
}

void SnapshotCatalog::ForgetSuperseded(const SnapshotId& id) {
  for (const SnapshotId& old : Superseded(id)) snapshots_.erase(old);
}

std::vector<std::string> SnapshotCatalog::KeysBeyond(int64_t committed) const {
  std::vector<std::string> keys;
  for (auto entry = snapshots_.upper_bound(LastAt(committed)); entry != snapshots_.end(); ++entry) {
    AppendKeys(entry->first, entry->second, keys);
  }
  return keys;
}

void SnapshotCatalog::ForgetBeyond(int64_t committed) {
  snapshots_.erase(snapshots_.upper_bound(LastAt(committed)), snapshots_.end());
}

std::vector<SnapshotId> SnapshotCatalog::Superseded(const SnapshotId& id) const {
  if (FindComplete(id) == nullptr) return {};
  const auto end = snapshots_.lower_bound(FirstAt(id.offset));
  std::set<SnapshotId> bases;
  for (auto kept = end; kept != snapshots_.end(); ++kept) {
    if (!kept->first.is_whole()) bases.insert(kept->first.BaseId());
  }
  std::vector<SnapshotId> superseded;
  for (auto old = snapshots_.begin(); old != end; ++old) {
    if (!bases.contains(old->first)) superseded.push_back(old->first);
  }
  return superseded;
}

void SnapshotCatalog::AppendKeys(const SnapshotId& id, const CatalogEntry& entry,
                                 std::vector<std::string>& keys) const {
  for (const uint32_t index : entry.chunks) keys.push_back(FormatChunkKey({place_, id, index}));
}

}  // namespace caracal::pipeline
