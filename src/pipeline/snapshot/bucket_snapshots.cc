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
  if (!InBounds(id) || !IsOfScheme(description)) return false;
  const Winner& winner = winners_[ContestOf(id)];
  if (!winner.has_value()) return true;
  if (id.is_whole()) return winner.id() < id;
  if (id.BaseId() != winner.whole->id) return winner.id() < id.BaseId();
  return description.base_digest == winner.whole->snapshot.image_digest && winner.id() < id;
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

bool BucketSnapshots::IsComplete(const SnapshotId& id, const agents::StateDigest& digest) const {
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end()) return false;
  const std::optional<SnapshotDescription> description = CompleteDescription(found->second);
  return description.has_value() && IsOfScheme(*description) && description->image_digest == digest;
}

void BucketSnapshots::Reconsider(const SnapshotId& id, const Snapshot& snapshot) {
  if (!IsWinner(id) || CompleteDescription(snapshot) == WinnerOf(id)->snapshot) return;
  if (id.is_whole()) {
    DropWinner(winners_[ContestOf(id)]);
  } else {
    DropImage(WinnerOf(id));
  }
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
  if (!id.is_whole()) {
    const std::optional<Image>& base = winners_[ContestOf(id)].whole;
    if (!base.has_value() || base->id != id.BaseId()) return;  // it may come yet
    if (!CanWin(id, *description)) return DropData(snapshot);
  }
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

void BucketSnapshots::Crown(Image image) {
  const SnapshotId id = image.id;
  const Contest contest = ContestOf(id);
  if (id.is_whole()) {
    DropWinner(winners_[contest]);
  } else {
    DropImage(winners_[contest].changes);
  }
  DropLosers(image);
  WinnerOf(id) = std::move(image);
  if (!id.is_whole()) return;
  for (auto& [changes, snapshot] : snapshots_) {
    const bool is_theirs = !changes.is_whole() && changes.BaseId() == id;
    if (is_theirs) TryAssemble(changes, snapshot);
  }
}

void BucketSnapshots::DropLosers(const Image& image) {
  const SnapshotId whole = image.id.is_whole() ? image.id : image.id.BaseId();
  for (auto& [id, snapshot] : snapshots_) {
    if (ContestOf(id) != ContestOf(image.id)) continue;
    const bool stands_alone = id.is_whole() || id.BaseId() == whole;
    if ((stands_alone ? id : id.BaseId()) < image.id) DropData(snapshot);
  }
}

void BucketSnapshots::DropWinner(Winner& winner) {
  DropImage(winner.whole);
  DropImage(winner.changes);
}

void BucketSnapshots::DropImage(std::optional<Image>& image) {
  if (!image.has_value()) return;
  held_.used -= image->bytes.size();
  image.reset();
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
    catalog.MarkComplete(id, description->image_digest);
    if (!InBounds(id) || !IsOfScheme(*description)) continue;
    if (!id.is_whole() && !IsComplete(id.BaseId(), description->base_digest)) {
      ++counts_.without_base;
      continue;
    }
    newest[ContestOf(id)] = id;
  }
  state.catalogs.emplace(bucket_, std::move(catalog));
  for (const Contest contest : {kOwnLayout, kOtherLayouts}) {
    Winner& winner = winners_[contest];
    if (newest[contest].has_value() && (!winner.has_value() || winner.id() < *newest[contest])) {
      state.missed.push_back({bucket_, *newest[contest]});
    }
    if (!winner.has_value()) continue;
    AssembledSnapshot won = {bucket_, winner.id(), std::move(winner.whole->bytes)};
    if (winner.changes.has_value()) won.changes = std::move(winner.changes->bytes);
    (contest == kOwnLayout ? state.snapshots : state.carry_over).push_back(std::move(won));
  }
}

}  // namespace caracal::pipeline
