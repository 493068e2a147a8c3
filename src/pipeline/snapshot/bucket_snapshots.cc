#include "pipeline/snapshot/bucket_snapshots.h"

#include <algorithm>
#include <utility>

namespace caracal::pipeline {

BucketSnapshots::BucketSnapshots(uint32_t bucket, const AssemblerOptions& options, HeldBytes& held,
                                 AssemblerCounts& counts)
    : bucket_(bucket), options_(options), held_(held), counts_(counts) {}

bool BucketSnapshots::Has(const SnapshotId& id, uint32_t index) const {
  const auto found = snapshots_.find(id);
  return found != snapshots_.end() && found->second.pieces.contains(index);
}

void BucketSnapshots::Put(const SnapshotId& id, uint32_t index, const ChunkValue& value) {
  Snapshot& snapshot = snapshots_[id];
  Piece& piece = snapshot.pieces[index];
  if (piece.snapshot == value.snapshot) {
    ++counts_.duplicates;
    if (piece.data.has_value() || IsWinner(id)) return;
  } else {
    DropData(piece);
    piece.snapshot = value.snapshot;
    Reconsider(id, snapshot);
  }
  if (!IsOfScheme(value.snapshot)) ++counts_.other_scheme;
  const bool is_given_up = snapshot.dropped == value.snapshot || snapshot.damaged == value.snapshot;
  if (CanWin(id, value.snapshot) && !is_given_up) Hold(id, snapshot, piece, value);
}

void BucketSnapshots::PutUnusable(const SnapshotId& id, uint32_t index) {
  Snapshot& snapshot = snapshots_[id];
  Piece& piece = snapshot.pieces[index];
  DropData(piece);
  piece.snapshot = std::nullopt;
  Reconsider(id, snapshot);
}

bool BucketSnapshots::Remove(const SnapshotId& id, uint32_t index) {
  const auto snapshot = snapshots_.find(id);
  if (snapshot == snapshots_.end()) return false;
  const auto piece = snapshot->second.pieces.find(index);
  if (piece == snapshot->second.pieces.end()) return false;
  DropData(piece->second);
  snapshot->second.pieces.erase(piece);
  Reconsider(id, snapshot->second);
  if (snapshot->second.pieces.empty()) snapshots_.erase(snapshot);
  return true;
}

bool BucketSnapshots::IsOfScheme(const SnapshotDescription& description) const {
  return bucket_ < options_.buckets && description.buckets == options_.buckets &&
         description.seed_fingerprint == options_.seed_fingerprint;
}

bool BucketSnapshots::InBounds(const SnapshotId& id) const {
  return id.offset <=
         (ContestOf(id) == kOwnLayout ? options_.committed : options_.carry_over_until);
}

bool BucketSnapshots::CanWin(const SnapshotId& id, const SnapshotDescription& description) const {
  const std::optional<Winner>& winner = winners_[ContestOf(id)];
  return InBounds(id) && IsOfScheme(description) && (!winner.has_value() || winner->id < id);
}

bool BucketSnapshots::IsWinner(const SnapshotId& id) const {
  const std::optional<Winner>& winner = winners_[ContestOf(id)];
  return winner.has_value() && winner->id == id;
}

std::optional<SnapshotDescription> BucketSnapshots::CompleteDescription(const Snapshot& snapshot) {
  const auto first = snapshot.pieces.find(0);
  if (first == snapshot.pieces.end()) return std::nullopt;
  const std::optional<SnapshotDescription>& description = first->second.snapshot;
  if (!description.has_value() || description == snapshot.damaged ||
      snapshot.pieces.size() < description->chunks) {
    return std::nullopt;
  }
  auto piece = first;
  for (uint32_t index = 0; index < description->chunks; ++index, ++piece) {
    if (piece->first != index || piece->second.snapshot != description) return std::nullopt;
  }
  return description;
}

void BucketSnapshots::Reconsider(const SnapshotId& id, const Snapshot& snapshot) {
  if (!IsWinner(id)) return;
  const Contest contest = ContestOf(id);
  if (CompleteDescription(snapshot) != winners_[contest]->snapshot) DropImage(contest);
}

void BucketSnapshots::Hold(const SnapshotId& id, Snapshot& snapshot, Piece& piece,
                           const ChunkValue& value) {
  if (value.data.size() > held_.max - held_.used) {
    ++counts_.dropped_chunks;
    DropData(snapshot);
    snapshot.dropped = value.snapshot;
    return;
  }
  held_.used += value.data.size();
  piece.data = value.data;
  TryAssemble(id, snapshot);
}

void BucketSnapshots::TryAssemble(const SnapshotId& id, Snapshot& snapshot) {
  const std::optional<SnapshotDescription> description = CompleteDescription(snapshot);
  if (!description.has_value()) return;
  size_t bytes = 0;
  const auto end = snapshot.pieces.lower_bound(description->chunks);
  for (auto piece = snapshot.pieces.begin(); piece != end; ++piece) {
    if (!piece->second.data.has_value()) return;
    bytes += piece->second.data->size();
  }
  if (bytes == description->image_bytes) {
    std::string image = Join(snapshot, *description);
    if (DigestOfImage(image) == description->image_digest) {
      Crown({id, *description, std::move(image)});
      return;
    }
    held_.used -= bytes;
  }
  ++counts_.damaged_images;
  DropData(snapshot);
  snapshot.damaged = description;
}

std::string BucketSnapshots::Join(Snapshot& snapshot, const SnapshotDescription& description) {
  std::string image;
  if (description.chunks > 1) image.reserve(description.image_bytes);
  for (uint32_t index = 0; index < description.chunks; ++index) {
    std::optional<std::string>& data = snapshot.pieces[index].data;
    if (description.chunks == 1) {
      image = *std::move(data);
    } else {
      image += *data;
    }
    data.reset();
  }
  return image;
}

void BucketSnapshots::Crown(Winner winner) {
  const Contest contest = ContestOf(winner.id);
  DropImage(contest);
  for (auto& [id, snapshot] : snapshots_) {
    if (ContestOf(id) == contest && id < winner.id) DropData(snapshot);
  }
  winners_[contest] = std::move(winner);
}

void BucketSnapshots::DropImage(Contest contest) {
  if (!winners_[contest].has_value()) return;
  held_.used -= winners_[contest]->image.size();
  winners_[contest].reset();
}

void BucketSnapshots::DropData(Snapshot& snapshot) {
  for (auto& [index, piece] : snapshot.pieces) DropData(piece);
}

void BucketSnapshots::DropData(Piece& piece) {
  if (!piece.data.has_value()) return;
  held_.used -= piece.data->size();
  piece.data.reset();
}

void BucketSnapshots::Finish(AssembledState& state) {
  SnapshotCatalog catalog({options_.topic, options_.partition, bucket_});
  std::array<std::optional<SnapshotId>, kContests> newest;
  for (const auto& [id, snapshot] : snapshots_) {
    for (const auto& [index, piece] : snapshot.pieces) catalog.AddChunk(id, index);
    const std::optional<SnapshotDescription> description = CompleteDescription(snapshot);
    if (!description.has_value()) continue;
    catalog.MarkComplete(id);
    if (InBounds(id) && IsOfScheme(*description)) newest[ContestOf(id)] = id;
  }
  state.catalogs.emplace(bucket_, std::move(catalog));
  for (const Contest contest : {kOwnLayout, kOtherLayouts}) {
    std::optional<Winner>& winner = winners_[contest];
    if (newest[contest].has_value() && (!winner.has_value() || winner->id < *newest[contest])) {
      state.missed.push_back({bucket_, *newest[contest]});
    }
    if (!winner.has_value()) continue;
    auto& won = contest == kOwnLayout ? state.snapshots : state.carry_over;
    won.push_back({bucket_, winner->id, std::move(winner->image)});
  }
}

}  // namespace caracal::pipeline
