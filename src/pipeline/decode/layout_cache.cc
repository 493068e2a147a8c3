#include "pipeline/decode/layout_cache.h"

#include <algorithm>
#include <utility>

namespace caracal::pipeline {

const MessageLayout* LayoutCache::Match(std::string_view json, std::span<JsonToken> tokens) {
  if (--until_sample_ == 0) {
    until_sample_ = kSampleInterval;
    sampling_ = true;
    settled_ = nullptr;
    return nullptr;
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    const MessageLayout* const layout = entries_[i].layout.get();
    if (!layout->Match(json, tokens, layout == settled_)) {
      settled_ = nullptr;
      continue;
    }
    if (layout != settled_) ++run_;
    settled_ = layout;
    CountHit(i);
    return layout;
  }
  settled_ = nullptr;
  if (++misses_ % kMissesPerCredit == 0) credit_ = std::min(credit_ + 1, kMaxCredit);
  return nullptr;
}

void LayoutCache::CountHit(size_t index) {
  ++entries_[index].hits;
  if (index > 0 && entries_[index].hits > entries_[index - 1].hits) {
    std::swap(entries_[index], entries_[index - 1]);
  }
  ++hits_;
  if (hits_ % kHitsPerCredit == 0) credit_ = std::min(credit_ + 1, kMaxCredit);
  if (hits_ % kHitsPerAging == 0) {
    for (Entry& entry : entries_) entry.hits /= 2;
  }
}

void LayoutCache::Learn(std::string_view json, const JsonTape& tape,
                        const PlannedMessage& message) {
  if (max_layouts_ == 0 || json.size() > kMaxMessageBytes) return;
  const bool sample = std::exchange(sampling_, false);
  if (!sample && credit_ == 0) return;
  scalars_.clear();
  CollectScalars(json, tape, message, scalars_);
  if (scalars_.size() > kMaxScalars) return;
  if (sample) {
    TakeSample(json, tape, message);
    return;
  }
  --credit_;
  for (Entry& entry : entries_) {
    if (entry.layout->Widen(json, scalars_)) return;
  }
  if (entries_.size() == max_layouts_) entries_.pop_back();
  entries_.push_back({std::make_unique<MessageLayout>(json, scalars_, tape, message), 0});
}

/// To learn from, samples of another layout than the first are passed over.
void LayoutCache::TakeSample(std::string_view json, const JsonTape& tape,
                             const PlannedMessage& message) {
  if (fresh_ == nullptr) {
    fresh_ = std::make_unique<MessageLayout>(json, scalars_, tape, message);
    scratch_.resize(message.slot_nodes.size());
  } else if (samples_ < kSamplesToLearn) {
    (void)fresh_->Widen(json, scalars_);
  } else if (!fresh_->Match(json, scratch_, false)) {
    ++sample_misses_;
  }
  if (++samples_ == kSamplesPerRenewal) EndRenewal();
}

void LayoutCache::EndRenewal() {
  renewal_interval_ = std::min(4 * renewal_interval_, kLongestInterval);
  until_sample_ = renewal_interval_;
  samples_ = 0;
  std::unique_ptr<MessageLayout> fresh = std::move(fresh_);
  if (std::exchange(sample_misses_, 0) > kMissesAllowed) return;
  const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.layout->Match(fresh->prototype(), scratch_, false);
  });
  if (known == entries_.end() || known->layout->any_scalars() <= fresh->any_scalars()) return;
  const uint32_t hits = known->hits;
  entries_.insert(known, Entry{std::move(fresh), hits});
  if (entries_.size() > max_layouts_) entries_.pop_back();
}

}  // namespace caracal::pipeline
