#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/state/key_hash.h"
#include "agents/state/prefetch.h"
#include "agents/state/record_slab.h"
#include "agents/state/state_digest.h"
#include "agents/state/tag_index.h"
#include "agents/state/tag_lanes.h"

namespace caracal::agents {

/// Identity of a key in a KeyTable. Owns nothing and points nowhere: build it once per event, use
/// it for every step of the look-up.
///
/// Texts of up to 15 bytes are held themselves, so their identity is exact. Longer ones are known
/// by their 128-bit seeded hash: among n long keys of a table the chance that any two are taken for
/// one is below n² / 2^129 (10^9 keys: 2 × 10^-21).
struct TableKey {
  static constexpr size_t kMaxInlineBytes = 15;

  /// Text bytes 0 to 7, the first one lowest; or the low half of the hash.
  uint64_t first = 0;
  /// Text bytes 8 to 14, or the low 56 bits of the hash's high half; the top byte is the text's
  /// length, or kHashed.
  uint64_t second = 0;
  /// Where to look, from the hash: its bits 96 to 127 (those that a hashed `second` leaves out).
  uint32_t tag = 0;

  /// The key's bytes as a pair of numbers whose order is that of the bytes.
  std::pair<uint64_t, uint64_t> order() const {
    return {__builtin_bswap64(first), __builtin_bswap64(second)};
  }

  /// The top byte of `second` for a text longer than kMaxInlineBytes.
  static constexpr uint64_t kHashed = 0x80;

  /// `hash` is HashKey(text, seed) with the one seed of all keys of the table.
  static TableKey Of(std::string_view text, const KeyHash& hash) {
    const uint32_t tag = TagOf(hash.high);
    if (text.size() > kMaxInlineBytes) {
      return {hash.low, (hash.high & ~(uint64_t{0xFF} << 56)) | kHashed << 56, tag};
    }
    const size_t head = text.size() < 8 ? text.size() : 8;
    const uint64_t tail = LoadUpTo8(text.data() + head, text.size() - head);
    return {LoadUpTo8(text.data(), head), tail | uint64_t{text.size()} << 56, tag};
  }

 private:
  /// `size` <= 8 bytes, zero-padded. Overlapping loads instead of a loop: this is on the way of
  /// every event.
  static uint64_t LoadUpTo8(const char* text, size_t size) {
    if (size == 8) return Load<uint64_t>(text);
    if (size >= 4) {
      return Load<uint32_t>(text) | Load<uint32_t>(text + size - 4) << (8 * (size - 4));
    }
    uint64_t word = 0;
    for (size_t i = 0; i < size; ++i) word |= uint64_t{static_cast<uint8_t>(text[i])} << (8 * i);
    return word;
  }
  template <typename Word>
  static uint64_t Load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof(word));
    return word;
  }
};

/// A key as it is saved: all a table knows of it but the record.
struct SavedKey {
  TableKey key;
  /// As KeyTable::newest_us.
  int64_t newest_us = std::numeric_limits<int64_t>::min();
  /// As KeyTable::truncated.
  bool truncated = false;
};

/// How the records of a table look: plain bytes, zeroed when a key is new.
struct RecordLayout {
  uint32_t size = 0;   ///< bytes, at most 64 KiB
  uint32_t align = 1;  ///< a power of two, at most 16
  /// Bytes from the start that every event touches: what is worth loading ahead. 0 = all. Changes
  /// no result.
  uint32_t hot_size = 0;
};

/// Stores one fixed-size record per key: the state of one rule key in one bucket of one partition.
///
/// Rules' records live inline, behind a 24-byte header with the key and its newest event time; an
/// index of 32-bit tags finds them (TagIndex), so a look-up touches two places in memory and both
/// can be prefetched. Records are named by handles, which stay valid until their key is evicted;
/// pointers only until the next insertion.
///
/// The table evicts nothing by itself: its bucket decides when (see eviction.h and BucketState).
/// Once it has evicted, every record made afterwards is marked truncated for as long as it lives:
/// its key may be one that was evicted and has come back. That rule is deterministic (a function
/// of the insertions and evictions in log order), and conservative: a key that lost state is always
/// marked, a key that is new after an eviction is marked without need.
///
/// It can note which keys are touched from some moment on (BeginChanges), in a list of 8 bytes per
/// key and a bit of its header, which a look-up has loaded anyway.
///
/// Memory grows with content, see TagIndex and RecordSlab; nothing before the first key. Movable; a
/// moved-from table may only be destroyed or assigned to. One thread at a time.
class KeyTable {
 public:
  using Handle = RecordSlab::Handle;
  static constexpr Handle kNone = TagIndex::kNone;
  static constexpr uint32_t kRecordBytesMax = 64 * 1024;
  static constexpr uint32_t kRecordAlignMax = 16;
  /// Of the table's own, before each record.
  static constexpr uint32_t kHeaderBytes = 24;

  /// An entry as the index knows it.
  struct Slot {
    uint32_t tag = 0;
    Handle handle = kNone;
  };

  /// `pool` null = memory from the heap; else it must outlive the table.
  explicit KeyTable(const RecordLayout& layout, HugePagePool* pool = nullptr);

  /// What one key counts for against a byte budget: header, record and its share of the index. A
  /// function of the layout alone, so that budgets do not depend on how memory has grown.
  static size_t BytesPerKey(const RecordLayout& layout) {
    return StrideOf(layout) + kIndexBytesPerKey;
  }

  /// First step of a look-up announced early: loads the index line of `key`.
  void PrefetchIndex(const TableKey& key) const { index_.Prefetch(key.tag); }
  /// Second step, some 100 ns later: loads the hot part of the record of `key`, if there is one.
  /// May wait for an index line beyond the first.
  void PrefetchRecord(const TableKey& key) const {
    const Handle guess = index_.Guess(key.tag);
    if (guess == kNone) return;
    const std::byte* const begin = slab_.At(guess);
    const std::byte* line = begin - reinterpret_cast<uintptr_t>(begin) % kCacheLineBytes;
    for (; line < begin + prefetch_bytes_; line += kCacheLineBytes) PrefetchLine(line);
  }

  /// kNone when the key has no record.
  Handle Find(const TableKey& key) const {
    return index_.Find(key.tag, [this, &key](Handle handle) {
      const Header& header = HeaderOf(handle);
      return header.first == key.first && (header.second & ~kMarks) == key.second;
    });
  }
  /// The record of `key`, to be changed, and whether it is new: zeroed, without an event time.
  std::pair<Handle, bool> FindOrInsert(const TableKey& key) {
    const Handle found = Find(key);
    const Handle handle = found != kNone ? found : Insert(key);
    if (notes_changes_) NoteChange({key.tag, handle});
    return {handle, found == kNone};
  }
  /// Removes an entry of this table and counts the eviction.
  void Evict(const Slot& slot);

  /// The agents' bytes of a record, aligned as the layout says. Valid until the next insertion.
  std::byte* record(Handle handle) const { return slab_.At(handle) + data_offset_; }
  /// Newest event time of the key in microseconds; INT64_MIN before the first Touch.
  int64_t newest_us(Handle handle) const { return HeaderOf(handle).newest_us; }
  /// Notes that the key has seen an event of that time.
  void Touch(Handle handle, int64_t event_time_us) {
    Header& header = HeaderOf(handle);
    header.newest_us = std::max(header.newest_us, event_time_us);
  }
  /// The record was made after the table had evicted: earlier state of its key may be lost.
  bool truncated(Handle handle) const { return (HeaderOf(handle).second & kTruncated) != 0; }
  /// Marks every record, and all made from now on, as if one had been evicted.
  void MarkTruncated();
  /// TableKey::order of the key.
  std::pair<uint64_t, uint64_t> key_order(Handle handle) const {
    const Header& header = HeaderOf(handle);
    return TableKey{header.first, header.second & ~kMarks}.order();
  }

  /// Calls visit(Slot) for every entry, in no meaningful order.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    index_.ForEach([&visit](uint32_t tag, Handle handle) { visit(Slot{tag, handle}); });
  }
  /// All entries by key bytes: an order that does not depend on how they came in.
  std::vector<Slot> SlotsInKeyOrder() const;
  /// All entries by tag, then key bytes: as independent of how they came in, and several times
  /// cheaper to make, as the index lies nearly in this order.
  std::vector<Slot> SlotsInTagOrder() const;

  /// From here on the table notes which keys FindOrInsert is called for, until a key is evicted or
  /// every key is marked: these change more than the keys that are touched.
  void BeginChanges();
  bool notes_changes() const { return notes_changes_; }
  /// How many keys have been touched since BeginChanges; 0 when they are not noted.
  size_t changed_keys() const { return changed_.size(); }
  /// These keys, in the order of SlotsInTagOrder.
  std::vector<Slot> ChangesInTagOrder() const;

  /// Adds the keys, times, marks and records in key order and the evictions so far to a digest:
  /// what the table means, not how it lies in memory.
  void AddTo(StateDigester& digester) const;

  SavedKey Save(const Slot& slot) const {
    const Header& header = HeaderOf(slot.handle);
    return {{header.first, header.second & ~kMarks, slot.tag},
            header.newest_us,
            (header.second & kTruncated) != 0};
  }
  /// Makes an empty table (CHECK) the continuation of one that had evicted `evictions` records, and
  /// makes room for `keys` keys to restore.
  void BeginRestore(size_t keys, uint64_t evictions);
  /// Adds a saved key with its time and mark, and a zeroed record. The key must not be present.
  Handle Restore(const SavedKey& saved);

  const RecordLayout& layout() const { return layout_; }
  size_t size() const { return index_.size(); }
  /// Records evicted so far.
  uint64_t evictions() const { return evictions_; }
  /// Bytes allocated.
  size_t bytes() const {
    return index_.bytes() + slab_.bytes() + changed_.capacity() * sizeof(Slot);
  }
  /// Of these, bytes of the index.
  size_t index_bytes() const { return index_.bytes(); }

 private:
  struct Header {
    uint64_t first;
    uint64_t second;  // as TableKey, and kMarks
    int64_t newest_us;
  };
  static_assert(sizeof(Header) == kHeaderBytes);

  static constexpr uint64_t kTruncated = uint64_t{0x40} << 56;
  static constexpr uint64_t kChanged = uint64_t{0x20} << 56;  ///< the key is in changed_
  static constexpr uint64_t kMarks = kTruncated | kChanged;
  static constexpr size_t kIndexBytesPerKey = 16;  // TagIndex takes 12.8 to 16
  static constexpr size_t kCacheLineBytes = 64;
  /// Longer hot parts are left to the hardware prefetcher beyond this.
  static constexpr size_t kPrefetchBytesMax = 512;

  using SlotIterator = std::vector<Slot>::iterator;

  static size_t StrideOf(const RecordLayout& layout);

  void SortByKey(SlotIterator begin, SlotIterator end) const;
  void SortByTag(std::vector<Slot>& slots) const;
  void NoteChange(const Slot& slot) {
    Header& header = HeaderOf(slot.handle);
    if ((header.second & kChanged) != 0) return;
    header.second |= kChanged;
    changed_.push_back(slot);
  }
  void EndChanges();
  Handle Insert(const TableKey& key);
  Header& HeaderOf(Handle handle) const { return *reinterpret_cast<Header*>(slab_.At(handle)); }

  RecordLayout layout_;
  size_t data_offset_;
  size_t prefetch_bytes_;
  TagIndex index_;
  RecordSlab slab_;
  uint64_t evictions_ = 0;
  bool notes_changes_ = false;
  std::vector<Slot> changed_;  // since BeginChanges
};

}  // namespace caracal::agents
