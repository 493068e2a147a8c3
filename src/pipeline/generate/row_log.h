#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/generate/payment.h"
#include "pipeline/generate/random.h"
#include "pipeline/generate/record_renderer.h"

namespace caracal::pipeline {

/// Remembers the newest rows and how they were sent, so that they can be updated, deleted, sent
/// again or read again. Holds 4,096 rows; the oldest makes room. One thread at a time.
class RowLog {
 public:
  struct Entry {
    Payment row;
    Change change;
    bool updated = false;
    bool deleted = false;
  };
  enum class Wanted : uint8_t {
    kAny,
    kAsInserted,  ///< not updated since: `change` still describes `row`
    kNormal,      ///< not planted: to change it would change the ground truth
  };

  static constexpr size_t kCapacity = 4096;

  void Add(const Payment& row, const Change& change) {
    const Entry entry{row, change};
    if (entries_.size() < kCapacity) {
      entries_.push_back(entry);
      return;
    }
    entries_[next_] = entry;
    next_ = (next_ + 1) % kCapacity;
  }
  /// A row that exists and is as `wanted`; null when a few draws find none.
  Entry* Pick(Random& random, Wanted wanted) {
    for (int i = 0; i < kTries && !entries_.empty(); ++i) {
      Entry& entry = entries_[random.Below(entries_.size())];
      if (entry.deleted) continue;
      if (wanted == Wanted::kAsInserted && entry.updated) continue;
      if (wanted == Wanted::kNormal && entry.row.mark.kind != EpisodeKind::kNone) continue;
      return &entry;
    }
    return nullptr;
  }

 private:
  static constexpr int kTries = 8;

  std::vector<Entry> entries_;
  size_t next_ = 0;
};

}  // namespace caracal::pipeline
