#include "agents/state/row_filter.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <span>

#include "agents/api/check.h"
#include "agents/state/little_endian.h"

namespace caracal::agents {
namespace {

constexpr size_t kRowsAtFirst = 10;

}  // namespace

RowFilter::RowFilter(uint32_t max_rows, HugePagePool* pool) : max_rows_(max_rows), pool_(pool) {
  CHECK(max_rows <= kMaxRows);
}

bool RowFilter::InsertIfNew(uint64_t tag) {
  if (max_rows_ == 0) return true;
  if (Contains(tag)) return false;
  if (tags_.size() < max_rows_) {
    if (tags_.size() == tags_.capacity()) {
      Reserve(std::min<size_t>(max_rows_, std::max(kRowsAtFirst, 2 * tags_.size())));
    }
    tags_.push_back(tag);
  } else {
    tags_[next_place_] = tag;
  }
  Place(HashOf(tag), next_sequence_);
  ++next_sequence_;
  if (changed_rows_ < max_rows_) ++changed_rows_;
  next_place_ = next_place_ + 1 == max_rows_ ? 0 : next_place_ + 1;
  return true;
}

bool RowFilter::Contains(uint64_t tag) const {
  const uint64_t hash = HashOf(tag);
  size_t at = HomeOf(hash);
  for (size_t visited = 0; visited < line_count_; ++visited) {
    const RowLine& line = lines()[at];
    for (uint32_t lanes = line.LanesWith(LaneTag(hash)); lanes != 0; lanes &= lanes - 1) {
      const uint32_t sequence = line.sequences[static_cast<size_t>(std::countr_zero(lanes))];
      if (IsRemembered(sequence) && TagAt(AgeOf(sequence)) == tag) return true;
    }
    // A row that went past this line is at most as new as `passed`.
    if (!IsRemembered(line.passed)) return false;
    at = NextLine(at);
  }
  return false;
}

void RowFilter::Place(uint64_t hash, uint32_t sequence) {
  for (size_t at = HomeOf(hash);; at = NextLine(at)) {
    RowLine& line = lines()[at];
    const auto remembered = static_cast<uint32_t>(tags_.size());
    const uint32_t used = line.LanesWithSequencesBelow(next_sequence_, remembered);
    if (const auto lane = static_cast<size_t>(std::countr_one(used)); lane < RowLine::kLanes) {
      line.tags[lane] = LaneTag(hash);
      line.sequences[lane] = sequence;
      return;
    }
    line.passed = sequence;
  }
}

void RowFilter::Reserve(size_t rows) {
  tags_.reserve(rows);
  line_count_ = LinesFor(rows);
  block_ = MemoryBlock(line_count_ * sizeof(RowLine), pool_);
  std::uninitialized_value_construct_n(lines(), line_count_);
  // A ring that grows has not wrapped: row i of it has the number i + 1.
  for (size_t i = 0; i < tags_.size(); ++i) {
    Place(HashOf(tags_[i]), static_cast<uint32_t>(i + 1));
  }
}

void RowFilter::AppendNewest(size_t rows, std::string& out) const {
  CHECK(rows <= size());
  const auto append = [&out](std::span<const uint64_t> tags) {
    out.append(reinterpret_cast<const char*>(tags.data()), tags.size_bytes());
  };
  const std::span<const uint64_t> tags(tags_);
  // The newest ends before next_place_; what does not fit there lies at the end of the ring.
  const size_t end = tags.size() < max_rows_ ? tags.size() : next_place_;
  const size_t in_front = std::min(rows, end);
  append(tags.last(rows - in_front));
  append(tags.subspan(end - in_front, in_front));
}

bool RowFilter::Restore(std::string_view image) {
  CHECK(tags_.empty() && image.size() % sizeof(uint64_t) == 0);
  const size_t rows = std::min<size_t>(max_rows_, image.size() / sizeof(uint64_t));
  if (rows == 0) return true;
  image.remove_prefix(image.size() - rows * sizeof(uint64_t));
  Reserve(rows);
  for (size_t at = 0; at < image.size(); at += sizeof(uint64_t)) {
    if (!InsertIfNew(LoadLittleEndian<uint64_t>(image.data() + at))) return false;
  }
  return true;
}

void RowFilter::AddTo(StateDigester& digester) const {
  digester.AddNumber(size());
  ForEachInLogOrder([&digester](uint64_t tag) { digester.AddNumber(tag); });
}

}  // namespace caracal::agents
