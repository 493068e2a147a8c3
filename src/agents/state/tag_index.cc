#include "agents/state/tag_index.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace caracal::agents {

void TagIndex::Place(uint32_t tag, uint32_t value) {
  DCHECK(tag != 0 && value != kNone);
  size_t at = HomeLine(tag);
  uint32_t free_lanes = LanesWith(lines()[at], 0);
  while (free_lanes == 0) {
    ++lines()[at].overflow;
    at = NextLine(at);
    free_lanes = LanesWith(lines()[at], 0);
  }
  const auto lane = static_cast<size_t>(std::countr_zero(free_lanes));
  lines()[at].tags[lane] = tag;
  lines()[at].values[lane] = value;
}

void TagIndex::Erase(uint32_t tag, uint32_t value) {
  size_t at = HomeLine(tag);
  for (size_t visited = 0; visited < line_count_; ++visited) {
    Line& line = lines()[at];
    for (uint32_t lanes = LanesWith(line, tag); lanes != 0; lanes &= lanes - 1) {
      const auto lane = static_cast<size_t>(std::countr_zero(lanes));
      if (line.values[lane] != value) continue;
      line.tags[lane] = 0;
      --size_;
      return;
    }
    CHECK(line.overflow != 0);
    --line.overflow;
    at = NextLine(at);
  }
  CHECK(false);
}

void TagIndex::Grow() {
  CHECK(size_ < max_size_);
  const size_t next = std::min(line_count_ + line_count_ / 2 + 1, LinesFor(max_size_));
  TagIndex grown(max_size_);
  const size_t bytes = next * sizeof(Line);
  grown.block_ =
      MemoryBlock(bytes, bytes >= kHugeIndexBytes ? PageHint::kHuge : PageHint::kDefault);
  grown.line_count_ = next;
  std::uninitialized_value_construct_n(grown.lines(), next);
  ForEach([&grown](uint32_t tag, uint32_t value) { grown.Place(tag, value); });
  grown.size_ = size_;
  *this = std::move(grown);
}

}  // namespace caracal::agents
