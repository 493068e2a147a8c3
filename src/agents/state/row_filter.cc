#include "agents/state/row_filter.h"

#include <algorithm>

namespace caracal::agents {

RowFilter::RowFilter(uint32_t max_rows) : max_rows_(max_rows), index_(max_rows) {}

bool RowFilter::InsertIfNew(uint64_t tag) {
  if (max_rows_ == 0) return true;
  const uint32_t index_tag = IndexTag(tag);
  const auto is_row = [this, tag](uint32_t place) { return tags_[place] == tag; };
  if (index_.Find(index_tag, is_row) != TagIndex::kNone) return false;
  if (tags_.size() < max_rows_) {
    if (tags_.size() == tags_.capacity()) {
      tags_.reserve(std::min<size_t>(max_rows_, std::max<size_t>(8, 2 * tags_.capacity())));
    }
    index_.Insert(index_tag, static_cast<uint32_t>(tags_.size()));
    tags_.push_back(tag);
    return true;
  }
  const auto place = static_cast<uint32_t>(oldest_);
  index_.Erase(IndexTag(tags_[place]), place);
  tags_[place] = tag;
  index_.Insert(index_tag, place);
  oldest_ = oldest_ + 1 == tags_.size() ? 0 : oldest_ + 1;
  return true;
}

void RowFilter::AddTo(StateDigester& digester) const {
  digester.AddNumber(size());
  ForEachInLogOrder([&digester](uint64_t tag) { digester.AddNumber(tag); });
}

}  // namespace caracal::agents
