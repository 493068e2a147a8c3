#include "agents/state/tag_index.h"

#include <memory>
#include <utility>

namespace caracal::agents {

void TagIndex::Place(uint32_t tag, uint32_t value) {
  DCHECK(tag != 0 && value != kNone);
  size_t at = HomeLine(tag);
  uint32_t free_lanes = lines()[at].LanesWith(0);
  while (free_lanes == 0) {
    ++lines()[at].passed;
    at = NextLine(at);
    free_lanes = lines()[at].LanesWith(0);
  }
  const auto lane = static_cast<size_t>(std::countr_zero(free_lanes));
  lines()[at].tags[lane] = tag;
  lines()[at].values[lane] = value;
}

void TagIndex::Erase(uint32_t tag, uint32_t value) {
  size_t at = HomeLine(tag);
  for (size_t visited = 0; visited < line_count_; ++visited) {
    TagLine& line = lines()[at];
    for (uint32_t lanes = line.LanesWith(tag); lanes != 0; lanes &= lanes - 1) {
      const auto lane = static_cast<size_t>(std::countr_zero(lanes));
      if (line.values[lane] != value) continue;
      line.tags[lane] = 0;
      --size_;
      return;
    }
    CHECK(line.passed != 0);
    --line.passed;
    at = NextLine(at);
  }
  CHECK(false);
}

void TagIndex::Grow() {
  TagIndex grown(pool_);
  grown.Allocate(NextLineCount(line_count_));
  ForEach([&grown](uint32_t tag, uint32_t value) { grown.Place(tag, value); });
  grown.size_ = size_;
  *this = std::move(grown);
}

void TagIndex::Reserve(size_t entries) {
  CHECK(size_ == 0);
  size_t lines = line_count_;
  while (lines * kMaxEntriesPerLine < entries) lines = NextLineCount(lines);
  if (lines != line_count_) Allocate(lines);
}

void TagIndex::Allocate(size_t lines) {
  block_ = MemoryBlock(lines * sizeof(TagLine), pool_);
  line_count_ = lines;
  std::uninitialized_value_construct_n(this->lines(), lines);
}

}  // namespace caracal::agents
