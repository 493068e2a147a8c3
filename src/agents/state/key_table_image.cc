#include "agents/state/key_table_image.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/state/key_hash.h"
#include "agents/state/little_endian.h"

namespace caracal::agents {
namespace {

constexpr uint64_t kTruncated = uint64_t{1} << 62;
constexpr uint64_t kLow56Bits = ~uint64_t{0} >> 8;

char* WriteSavedKey(const SavedKey& saved, char* to) {
  StoreLittleEndian(saved.key.first, to);
  StoreLittleEndian(saved.key.second | (saved.truncated ? kTruncated : 0), to + 8);
  StoreLittleEndian(saved.newest_us, to + 16);
  StoreLittleEndian(saved.key.tag, to + 24);
  return to + KeyTableImage::kSavedKeyBytes;
}

/// `key` is what TableKey::Of makes of some text that is kept itself.
bool IsInlineKey(const TableKey& key, uint64_t length, uint64_t seed) {
  char text[16];
  StoreLittleEndian(key.first, text);
  StoreLittleEndian(key.second, text + 8);
  const std::string_view kept(text, length);
  const TableKey made = TableKey::Of(kept, HashKey(kept, seed));
  return made.first == key.first && made.second == key.second && made.tag == key.tag;
}

/// `key` is what TableKey::Of makes of some hash: 24 bits of the tag are part of `second`.
bool IsHashedKey(const TableKey& key) {
  const auto shared = static_cast<uint32_t>((key.second & kLow56Bits) >> 32);
  return (key.tag & 0xFFFFFFU) == shared ? key.tag != 0 : key.tag == 1 && shared == 0;
}

bool IsTableKey(const TableKey& key, uint64_t seed) {
  const uint64_t kind = key.second >> 56;
  if (kind == TableKey::kHashed) return IsHashedKey(key);
  return kind <= TableKey::kMaxInlineBytes && IsInlineKey(key, kind, seed);
}

}  // namespace

void AppendPiece(const RecordPiece& piece, std::vector<RecordPiece>& pieces) {
  if (!pieces.empty()) {
    RecordPiece& last = pieces.back();
    if (last.in_image + last.size == piece.in_image &&
        last.in_table + last.size == piece.in_table) {
      last.size += piece.size;
      return;
    }
  }
  pieces.push_back(piece);
}

KeyTableImage::KeyTableImage(std::string_view entries, size_t record_bytes, uint64_t evictions)
    : entries_(entries), entry_bytes_(kSavedKeyBytes + record_bytes), evictions_(evictions) {
  CHECK(entries.size() % entry_bytes_ == 0);
}

void KeyTableImage::Append(const KeyTable& table, std::span<const KeyTable::Slot> slots,
                           std::span<const RecordPiece> pieces, size_t record_bytes,
                           std::string& out) {
  const size_t begin = out.size();
  out.resize(begin + slots.size() * (kSavedKeyBytes + record_bytes));
  char* to = out.data() + begin;
  for (const KeyTable::Slot& slot : slots) {
    to = WriteSavedKey(table.Save(slot), to);
    const std::byte* record = table.record(slot.handle);
    for (const RecordPiece& piece : pieces) {
      std::memcpy(to + piece.in_image, record + piece.in_table, piece.size);
    }
    to += record_bytes;
  }
}

size_t KeyTableImage::Merge(const KeyTableImage& base, const KeyTableImage& changes,
                            std::string& out) {
  CHECK(base.entry_bytes_ == changes.entry_bytes_);
  const size_t entry_bytes = base.entry_bytes_;
  const size_t begin = out.size();
  size_t done = 0;  // bytes of base's entries
  for (size_t at = 0; at < changes.entries_.size(); at += entry_bytes) {
    const Position position = PositionOf(changes.SavedKeyAt(at));
    size_t end = done;
    while (end < base.entries_.size() && PositionOf(base.SavedKeyAt(end)) < position) {
      end += entry_bytes;
    }
    out += base.entries_.substr(done, end - done);
    out += changes.entries_.substr(at, entry_bytes);
    const bool known = end < base.entries_.size() && PositionOf(base.SavedKeyAt(end)) == position;
    done = known ? end + entry_bytes : end;
  }
  out += base.entries_.substr(done);
  return (out.size() - begin) / entry_bytes;
}

absl::Status KeyTableImage::Restore(const RestoreOptions& options, KeyTable& table) const {
  table.BeginRestore(keys() - options.evicted, evictions_ + options.evicted);
  Position last;  // no tag is 0: below all
  for (size_t at = 0; at < entries_.size(); at += entry_bytes_) {
    const SavedKey saved = SavedKeyAt(at);
    if (!IsTableKey(saved.key, options.hash_seed)) return Refuse(at, "has no possible key");
    if (saved.truncated && evictions_ == 0) return Refuse(at, "is truncated without an eviction");
    const Position position = PositionOf(saved);
    if (position <= last) return Refuse(at, "is out of order");
    last = position;
    if (options.evict_up_to.has_value() &&
        EvictionRank{saved.newest_us, position.second, options.table} <= *options.evict_up_to) {
      continue;
    }
    std::byte* record = table.record(table.Restore(saved));
    const char* from = entries_.data() + at + kSavedKeyBytes;
    for (const RecordPiece& piece : options.pieces) {
      std::memcpy(record + piece.in_table, from + piece.in_image, piece.size);
    }
  }
  return absl::OkStatus();
}

SavedKey KeyTableImage::SavedKeyAt(size_t at) const {
  const char* from = entries_.data() + at;
  const auto second = LoadLittleEndian<uint64_t>(from + 8);
  return {{LoadLittleEndian<uint64_t>(from), second & ~kTruncated,
           LoadLittleEndian<uint32_t>(from + 24)},
          LoadLittleEndian<int64_t>(from + 16),
          (second & kTruncated) != 0};
}

absl::Status KeyTableImage::Refuse(size_t at, std::string_view what) const {
  return absl::DataLossError(
      fmt::format("entry {} of a key table's image {}", at / entry_bytes_, what));
}

}  // namespace caracal::agents
