#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline {

/// What is known of one snapshot in the state topic.
struct CatalogEntry {
  /// Chunks whose keys have a value in the topic, or may have one.
  std::set<uint32_t> chunks;
  /// All chunks are there, intact and acknowledged.
  bool complete = false;
  /// Of a complete one: DigestOfImage, by which changes know their base.
  agents::StateDigest image_digest = {};
};

/// Knows which snapshots of one bucket the state topic holds, and so which records to delete when a
/// new one is there. A value; one thread at a time.
///
/// BucketAssembler makes it from what it reads; the publisher adds what it sends:
///
///   catalog.AddChunk(id, i)              before each chunk is sent: it may arrive
///   catalog.MarkComplete(id, digest)     when all are acknowledged
///   catalog.SupersededKeys(id)           send a tombstone for each
///   catalog.ForgetSuperseded(id)         when these are acknowledged
///
/// What is interrupted in between is found again at the next snapshot: chunks of a snapshot that
/// was never completed, tombstones that were never acknowledged. Grows with the snapshots in the
/// topic; bounded by whoever fills it.
class SnapshotCatalog {
 public:
  explicit SnapshotCatalog(BucketPlace place) : place_(std::move(place)) {}

  /// The topic has, or may have, a value for this chunk.
  void AddChunk(const SnapshotId& id, uint32_t index) { snapshots_[id].chunks.insert(index); }
  /// All chunks added for this snapshot are acknowledged, and there are no others.
  void MarkComplete(const SnapshotId& id, const agents::StateDigest& image_digest = {}) {
    CatalogEntry& entry = snapshots_[id];
    entry.complete = true;
    entry.image_digest = image_digest;
  }
  /// The entry of a snapshot that is complete, and whose base is, if it has one; else nullptr.
  const CatalogEntry* FindComplete(const SnapshotId& id) const;

  /// The keys of all chunks of snapshots with a smaller offset than `id`, whole or changes,
  /// complete or not, whatever their layout; but not of a base of changes that stay. None unless
  /// `id` (and its base) is complete: before that they may still be needed.
  std::vector<std::string> SupersededKeys(const SnapshotId& id) const;
  /// SupersededKeys(id) have been deleted.
  void ForgetSuperseded(const SnapshotId& id);

  /// The keys of all chunks of snapshots with a greater offset than `committed`: an operator has
  /// set the group back, and they hold what is to be done again.
  std::vector<std::string> KeysBeyond(int64_t committed) const;
  /// KeysBeyond(committed) have been deleted.
  void ForgetBeyond(int64_t committed);

  const BucketPlace& place() const { return place_; }
  /// Oldest first.
  const std::map<SnapshotId, CatalogEntry>& snapshots() const { return snapshots_; }

 private:
  using Entries = std::map<SnapshotId, CatalogEntry>;

  /// The snapshots that SupersededKeys is about.
  std::vector<SnapshotId> Superseded(const SnapshotId& id) const;
  void AppendKeys(const SnapshotId& id, const CatalogEntry& entry,
                  std::vector<std::string>& keys) const;

  BucketPlace place_;
  Entries snapshots_;
};

}  // namespace caracal::pipeline
