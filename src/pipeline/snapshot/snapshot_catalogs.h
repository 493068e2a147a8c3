#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/mutex.h"
#include "pipeline/snapshot/snapshot_catalog.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// The catalogs of all buckets of the partitions this process owns or has owned: the restore thread
/// fills in what it reads, the snapshot thread what it writes. Any thread.
class SnapshotCatalogs {
 public:
  /// What the state topic holds of a partition, in the place of what was known.
  void Set(const PartitionLease& lease, std::map<uint32_t, SnapshotCatalog> catalogs) {
    MutexLock lock(&mutex_);
    const auto begin = catalogs_.lower_bound({lease.topic(), lease.partition(), 0});
    const auto end = catalogs_.lower_bound({lease.topic(), lease.partition() + 1, 0});
    catalogs_.erase(begin, end);
    for (auto& [bucket, catalog] : catalogs) {
      catalogs_.emplace(Key(lease.topic(), lease.partition(), bucket), std::move(catalog));
    }
  }
  /// Calls change(SnapshotCatalog&) for a bucket; returns what it returns.
  template <typename Change>
  auto Update(const BucketPlace& place, Change change) {
    MutexLock lock(&mutex_);
    return change(
        catalogs_.try_emplace({place.topic, place.partition, place.bucket}, place).first->second);
  }

 private:
  using Key = std::tuple<std::string, int32_t, uint32_t>;

  Mutex mutex_;
  std::map<Key, SnapshotCatalog> catalogs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caracal::pipeline
