#include "pipeline/snapshot/snapshot_writer.h"

#include <string>
#include <utility>
#include <vector>

#include "pipeline/base/failpoint.h"

namespace caracal::pipeline {

std::optional<PublishedSnapshot> SnapshotWriter::Publish(BucketCopy& copy) {
  const PartitionLease& lease = *copy.lease;
  const BucketPlace place = {lease.topic(), lease.partition(), copy.bucket};
  const SnapshotId id = {copy.offset, topics_.layouts[lease.stream()], copy.base};
  agents::StateDigest base_digest;
  if (!id.is_whole()) {
    const auto base = catalogs_.Update(
        place, [&id](const SnapshotCatalog& catalog) -> std::optional<agents::StateDigest> {
          const CatalogEntry* entry = catalog.FindComplete(id.BaseId());
          return entry == nullptr ? std::nullopt : std::optional(entry->image_digest);
        });
    // Another owner has been here: what these changes belong to is not there any more.
    if (!base.has_value()) return std::nullopt;
    base_digest = *base;
  }
  const BucketChunks chunks(
      {place, id, topics_.buckets, topics_.seed_fingerprint, std::move(copy.image), base_digest},
      value_bytes_max_);
  std::vector<StateWrite> writes;
  for (uint32_t i = 0; i < chunks.size(); ++i) {
    StateRecord record = chunks.Record(i);
    writes.push_back({std::move(record.key), std::move(record.value)});
  }
  catalogs_.Update(chunks.place(), [&chunks](SnapshotCatalog& catalog) {
    for (uint32_t i = 0; i < chunks.size(); ++i) catalog.AddChunk(chunks.id(), i);
  });
  if (!log_.WriteAll(lease, writes)) return std::nullopt;
  catalogs_.Update(chunks.place(), [&chunks](SnapshotCatalog& catalog) {
    catalog.MarkComplete(chunks.id(), chunks.description().image_digest);
  });
  return PublishedSnapshot{copy.lease, chunks.place(), chunks.id()};
}

bool SnapshotWriter::DeleteReplaced(const PublishedSnapshot& snapshot) {
  std::vector<StateWrite> tombstones;
  for (std::string& key : catalogs_.Update(snapshot.place, [&snapshot](SnapshotCatalog& catalog) {
         return catalog.SupersededKeys(snapshot.id);
       })) {
    tombstones.push_back({std::move(key), std::nullopt});
  }
  if (tombstones.empty() || HitFailpoint(Failpoint::kSnapshotTombstone)) return false;
  if (!log_.WriteAll(*snapshot.lease, tombstones)) return false;
  catalogs_.Update(snapshot.place, [&snapshot](SnapshotCatalog& catalog) {
    catalog.ForgetSuperseded(snapshot.id);
  });
  return true;
}

}  // namespace caracal::pipeline
