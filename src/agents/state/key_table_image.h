#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agents/state/eviction.h"
#include "agents/state/key_table.h"

namespace caracal::agents {

/// Bytes of a record that lie side by side in an image as in a table.
struct RecordPiece {
  uint32_t in_image = 0;  ///< bytes from the start of the saved record
  uint32_t in_table = 0;  ///< bytes from the start of the table's record
  uint32_t size = 0;
};

/// Appends `piece` to `pieces`, or lengthens the last one if it goes on in image and table.
void AppendPiece(const RecordPiece& piece, std::vector<RecordPiece>& pieces);

/// The saved keys of a table: entries of kSavedKeyBytes + `record_bytes` each, by tag, then key
/// bytes, so that equal tables have equal images. All numbers little-endian.
///
///   0   8  TableKey::first
///   8   8  TableKey::second; bit 62 = the record is truncated
///   16  8  newest event time, microseconds
///   24  4  TableKey::tag
///   28  -  the record's pieces side by side
///
/// A view: the bytes belong to the caller. Nothing is checked before Restore.
class KeyTableImage {
 public:
  static constexpr size_t kSavedKeyBytes = 28;

  /// `entries` must be a multiple of the entry's size (CHECK). `evictions`: of the saved table.
  KeyTableImage(std::string_view entries, size_t record_bytes, uint64_t evictions);

  /// Appends the entries of `slots` of `table`, all of them (KeyTable::SlotsInTagOrder) or those
  /// that have changed, whose records are made of `pieces`; `record_bytes` is the sum of their
  /// sizes.
  static void Append(const KeyTable& table, std::span<const KeyTable::Slot> slots,
                     std::span<const RecordPiece> pieces, size_t record_bytes, std::string& out);
  /// Appends the entries of `base` with those of `changes` (of the same size, CHECK) added, or in
  /// the place of those of the same keys; returns how many these are. Entries that are out of order
  /// stay so, for Restore to find.
  static size_t Merge(const KeyTableImage& base, const KeyTableImage& changes, std::string& out);

  size_t keys() const { return entries_.size() / entry_bytes_; }
  uint64_t evictions() const { return evictions_; }

  /// Calls visit(newest_us, order) for every entry, order as TableKey::order.
  template <typename Visit>
  void ForEachRank(Visit&& visit) const {
    for (size_t at = 0; at < entries_.size(); at += entry_bytes_) {
      const SavedKey saved = SavedKeyAt(at);
      visit(saved.newest_us, saved.key.order());
    }
  }

  struct RestoreOptions {
    /// Of all hashes of the keys.
    uint64_t hash_seed = 0;
    /// Where the saved bytes go; what no piece covers stays zero.
    std::span<const RecordPiece> pieces;
    /// Keys up to this rank (whose table number is given) are evicted instead of restored.
    std::optional<EvictionRank> evict_up_to;
    uint32_t table = 0;
    /// How many these are.
    size_t evicted = 0;
  };
  /// Fills the empty `table` (CHECK). DataLoss when an entry cannot come from a table with this
  /// hash seed, or entries are out of order or doubled; the table is then of no use.
  absl::Status Restore(const RestoreOptions& options, KeyTable& table) const;

 private:
  /// Where an entry stands in the order of entries.
  using Position = std::pair<uint32_t, std::pair<uint64_t, uint64_t>>;
  static Position PositionOf(const SavedKey& saved) { return {saved.key.tag, saved.key.order()}; }

  SavedKey SavedKeyAt(size_t at) const;
  absl::Status Refuse(size_t at, std::string_view what) const;

  std::string_view entries_;  // of the caller
  size_t entry_bytes_;
  uint64_t evictions_;
};

}  // namespace caracal::agents
