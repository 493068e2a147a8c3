#include "agents/state/key_table.h"

#include <bit>

#include "agents/api/check.h"

namespace caracal::agents {
namespace {

size_t RoundUp(size_t bytes, size_t align) { return (bytes + align - 1) & ~(align - 1); }

size_t HotSizeOf(const RecordLayout& layout) {
  return layout.hot_size == 0 ? layout.size : std::min(layout.hot_size, layout.size);
}

uint64_t NumberOf(int64_t value) { return static_cast<uint64_t>(value); }

}  // namespace

KeyTable::KeyTable(const RecordLayout& layout, HugePagePool* pool)
    : layout_(layout),
      data_offset_(RoundUp(sizeof(Header), layout.align)),
      prefetch_bytes_(std::min(data_offset_ + HotSizeOf(layout), kPrefetchBytesMax)),
      index_(pool),
      slab_(StrideOf(layout), pool) {
  CHECK(layout.size <= kRecordBytesMax);
  CHECK(std::has_single_bit(layout.align) && layout.align <= kRecordAlignMax);
}

size_t KeyTable::StrideOf(const RecordLayout& layout) {
  const size_t align = std::max<size_t>(layout.align, alignof(Header));
  return RoundUp(RoundUp(sizeof(Header), align) + layout.size, align);
}

KeyTable::Handle KeyTable::Insert(const TableKey& key) {
  const Handle handle = slab_.Allocate();
  Header& header = HeaderOf(handle);
  header.first = key.first;
  header.second = key.second | (evictions_ != 0 ? kTruncated : 0);
  header.newest_us = std::numeric_limits<int64_t>::min();
  index_.Insert(key.tag, handle);
  return handle;
}

void KeyTable::Evict(const Slot& slot) {
  EndChanges();
  index_.Erase(slot.tag, slot.handle);
  slab_.Free(slot.handle);
  ++evictions_;
}

void KeyTable::MarkTruncated() {
  EndChanges();
  evictions_ = std::max<uint64_t>(1, evictions_);
  ForEach([this](const Slot& slot) { HeaderOf(slot.handle).second |= kTruncated; });
}

std::vector<KeyTable::Slot> KeyTable::SlotsInKeyOrder() const {
  std::vector<Slot> slots;
  slots.reserve(size());
  ForEach([&slots](const Slot& slot) { slots.push_back(slot); });
  SortByKey(slots.begin(), slots.end());
  return slots;
}

void KeyTable::SortByKey(SlotIterator begin, SlotIterator end) const {
  std::sort(begin, end, [this](const Slot& a, const Slot& b) {
    return key_order(a.handle) < key_order(b.handle);
  });
}

std::vector<KeyTable::Slot> KeyTable::SlotsInTagOrder() const {
  std::vector<Slot> slots;
  slots.reserve(size());
  ForEach([&slots](const Slot& slot) { slots.push_back(slot); });
  SortByTag(slots);
  return slots;
}

std::vector<KeyTable::Slot> KeyTable::ChangesInTagOrder() const {
  std::vector<Slot> slots = changed_;
  SortByTag(slots);
  return slots;
}

void KeyTable::SortByTag(std::vector<Slot>& slots) const {
  // Tags decide nearly always and are at hand; only runs of equal ones look at the keys.
  std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.tag < b.tag; });
  for (auto begin = slots.begin(); begin != slots.end();) {
    const auto end = std::find_if(begin + 1, slots.end(),
                                  [begin](const Slot& slot) { return slot.tag != begin->tag; });
    if (end - begin > 1) SortByKey(begin, end);
    begin = end;
  }
}

void KeyTable::BeginChanges() {
  EndChanges();
  notes_changes_ = true;
}

void KeyTable::EndChanges() {
  for (const Slot& slot : changed_) HeaderOf(slot.handle).second &= ~kChanged;
  changed_.clear();
  notes_changes_ = false;
}

KeyTable::Handle KeyTable::Restore(const SavedKey& saved) {
  const Handle handle = slab_.Allocate();
  HeaderOf(handle) = {saved.key.first, saved.key.second | (saved.truncated ? kTruncated : 0),
                      saved.newest_us};
  index_.Insert(saved.key.tag, handle);
  return handle;
}

void KeyTable::BeginRestore(size_t keys, uint64_t evictions) {
  CHECK(size() == 0 && evictions_ == 0);
  evictions_ = evictions;
  index_.Reserve(keys);
  slab_.Reserve(keys);
}

void KeyTable::AddTo(StateDigester& digester) const {
  digester.AddNumber(size());
  digester.AddNumber(evictions_);
  for (const Slot& slot : SlotsInKeyOrder()) {
    const Header& header = HeaderOf(slot.handle);
    digester.AddNumber(header.first);
    digester.AddNumber(header.second & ~kChanged);
    digester.AddNumber(NumberOf(header.newest_us));
    digester.AddBytes({record(slot.handle), layout_.size});
  }
}

}  // namespace caracal::agents
