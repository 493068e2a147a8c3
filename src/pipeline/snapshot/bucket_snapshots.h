#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "pipeline/snapshot/assembled_state.h"
#include "pipeline/snapshot/chunk_value.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline {

/// Bytes that the buckets of a partition hold, and may hold together.
struct HeldBytes {
  size_t max = 0;
  size_t used = 0;
};

/// The snapshots of one bucket as the records read so far leave them, and the images of those that
/// win: the newest complete whole one of the layout wanted, and of all others, each with the newest
/// complete changes to it.
///
/// Part of a BucketAssembler, which owns what the constructor is given. Keeps the bytes of a
/// snapshot only while it can win: it is within its bounds, of the right scheme, and newer than the
/// winner; changes, while their base is the winner or may yet be. Of all others it knows which
/// chunks there are. One thread.
class BucketSnapshots {
 public:
  BucketSnapshots(uint32_t bucket, const AssemblerOptions& options, HeldBytes& held,
                  AssemblerCounts& counts);

  bool Has(const SnapshotId& id, uint32_t index) const;
  /// The value of this chunk is `value` from now on.
  void Put(const SnapshotId& id, uint32_t index, const ChunkValue& value);
  /// The value of this chunk is of no use from now on.
  void PutUnusable(const SnapshotId& id, uint32_t index);
  /// There is no such chunk any more; false = there was none.
  bool Remove(const SnapshotId& id, uint32_t index);
  bool empty() const { return snapshots_.empty(); }

  /// Adds what is known of this bucket to `state`, moves the winners there.
  void Finish(AssembledState& state);

 private:
  enum Contest : uint8_t { kOwnLayout, kOtherLayouts, kContests };

  struct Piece {
    std::optional<SnapshotDescription> snapshot;  ///< nullopt: of no use
    std::optional<std::string> data;              ///< while held
  };
  struct Snapshot {
    std::map<uint32_t, Piece> pieces;
    /// What did not fit, and what turned out to have a wrong digest: neither is tried again.
    std::optional<SnapshotDescription> dropped;
    std::optional<SnapshotDescription> damaged;
  };
  struct Image {
    SnapshotId id;
    SnapshotDescription snapshot;
    std::string bytes;
  };
  struct Winner {
    std::optional<Image> whole;
    std::optional<Image> changes;  ///< to `whole`, which is there

    bool has_value() const { return whole.has_value(); }
    /// Of the newest of the two, which must have a value.
    const SnapshotId& id() const { return changes.has_value() ? changes->id : whole->id; }
  };

  Contest ContestOf(const SnapshotId& id) const {
    return id.layout == options_.layout ? kOwnLayout : kOtherLayouts;
  }
  bool IsOfScheme(const SnapshotDescription& description) const;
  bool InBounds(const SnapshotId& id) const;
  bool CanWin(const SnapshotId& id, const SnapshotDescription& description) const;
  /// The image of this snapshot, if it is a winner or its changes.
  std::optional<Image>& WinnerOf(const SnapshotId& id) {
    Winner& winner = winners_[ContestOf(id)];
    return id.is_whole() ? winner.whole : winner.changes;
  }
  bool IsWinner(const SnapshotId& id) {
    const std::optional<Image>& image = WinnerOf(id);
    return image.has_value() && image->id == id;
  }

  /// What all chunks say of the snapshot, if they are all there and agree.
  static std::optional<SnapshotDescription> CompleteDescription(const Snapshot& snapshot);
  /// The snapshot of this id is complete, and has `digest`.
  bool IsComplete(const SnapshotId& id, const agents::StateDigest& digest) const;
  /// A chunk has changed: takes the crown away if the snapshot is not the one that won.
  void Reconsider(const SnapshotId& id, const Snapshot& snapshot);
  void Hold(const SnapshotId& id, Snapshot& snapshot, Piece& piece, const ChunkValue& value);
  void TryAssemble(const SnapshotId& id, Snapshot& snapshot);
  /// Joins the data of the pieces, which hold none afterwards.
  std::string Join(Snapshot& snapshot, const SnapshotDescription& description);
  void Crown(Image image);
  void DropImage(std::optional<Image>& image);
  void DropWinner(Winner& winner);
  /// Gives away what this image has won against, and what was waiting for another base.
  void DropLosers(const Image& image);
  void DropData(Snapshot& snapshot);
  void DropData(Piece& piece);

  const uint32_t bucket_;
  const AssemblerOptions& options_;
  HeldBytes& held_;
  AssemblerCounts& counts_;
  std::map<SnapshotId, Snapshot> snapshots_;
  std::array<Winner, kContests> winners_;
};

}  // namespace caracal::pipeline
