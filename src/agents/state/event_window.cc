#include "agents/state/event_window.h"

#include <algorithm>
#include <limits>

#include "agents/api/transaction.h"
#include "agents/state/key_hash.h"

namespace caracal::agents {
namespace {

// Ages within the window fit 32 bits.
bool FitsNarrowTimes(int64_t window_us) { return window_us < int64_t{1} << 32; }

bool FitsGaps(const EventWindowOptions& options) {
  return !options.sums_amounts && !options.counts_values &&
         options.capacity <= EventGaps::kMaxCapacity &&
         options.window_us <= EventGaps::kMaxWindowUs;
}

uint32_t EntryBytes(const EventWindowOptions& options) {
  return (FitsNarrowTimes(options.window_us) ? 4U : 8U) + (options.sums_amounts ? 8U : 0U) +
         (options.counts_values ? 8U : 0U);
}

}  // namespace

uint32_t EventWindow::MaxCapacity(EventWindowOptions options) {
  // The smallest ring.
  options.capacity = EventGaps::kMaxCapacity + 1;
  const EventWindow smallest(options);
  const uint32_t spare = kMaxStateSize - smallest.state_size();
  return std::min(kMaxCapacity, options.capacity + spare / EntryBytes(options));
}

uint64_t EventWindow::ValueTag(std::string_view text) {
  if (text.data() == nullptr) return 0;
  const uint64_t tag = HashKey(text, 0).low >> 1;
  return tag == 0 ? 1 : tag;
}

EventWindow::EventWindow(const EventWindowOptions& options)
    : window_us_(static_cast<uint64_t>(options.window_us)),
      capacity_(options.capacity),
      narrow_(FitsNarrowTimes(options.window_us)),
      sums_amounts_(options.sums_amounts),
      counts_values_(options.counts_values),
      has_gaps_(FitsGaps(options)) {
  CHECK(options.window_us > 0);
  CHECK(capacity_ > 0 && capacity_ <= kMaxCapacity);
  if (has_gaps_) {
    state_size_ = EventGaps::Size(capacity_);
    return;
  }
  uint32_t offset = sizeof(Header);
  if (sums_amounts_) {
    // The sum of a full ring fits an int64, so it needs no check per event.
    CHECK(capacity_ <= std::numeric_limits<int64_t>::max() / kMaxAmount);
    sum_offset_ = offset;
    offset += sizeof(int64_t);
  }
  if (counts_values_) {
    tags_offset_ = offset;
    offset += capacity_ * sizeof(uint64_t);
  }
  if (sums_amounts_) {
    amounts_offset_ = offset;
    offset += capacity_ * sizeof(int64_t);
  }
  times_offset_ = offset;
  offset += capacity_ * (narrow_ ? sizeof(uint32_t) : sizeof(uint64_t));
  state_size_ = (offset + kRingAlign - 1) / kRingAlign * kRingAlign;
  CHECK(state_size_ <= kMaxStateSize);
}

}  // namespace caracal::agents
