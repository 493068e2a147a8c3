#pragma once

#include <cstddef>
#include <cstdint>
#include <queue>
#include <utility>
#include <vector>

#include "pipeline/generate/payment.h"

namespace caracal::pipeline {

/// Keeps payments that are to be sent later: the rest of planted episodes, and late ones. In order
/// of due time, then of insertion. Bounded by what is planted and late at any one time: share of
/// such payments x event rate x delay. One thread at a time.
class Agenda {
 public:
  struct Item {
    /// Microseconds of event time at which the payment is committed and sent.
    int64_t due_us = 0;
    uint64_t order = 0;
    Payment payment;
    /// Normal traffic held back, as opposed to a step of an episode.
    bool late = false;
  };

  void Add(int64_t due_us, const Payment& payment, bool late) {
    items_.push({due_us, ++added_, payment, late});
  }
  /// Something is due at or before `now_us`.
  bool HasDue(int64_t now_us) const { return !items_.empty() && items_.top().due_us <= now_us; }
  /// Removes the item due first; there must be one.
  Item Take() {
    Item item = items_.top();
    items_.pop();
    return item;
  }
  size_t size() const { return items_.size(); }

 private:
  struct DueLater {
    bool operator()(const Item& a, const Item& b) const {
      return std::pair(a.due_us, a.order) > std::pair(b.due_us, b.order);
    }
  };

  std::priority_queue<Item, std::vector<Item>, DueLater> items_;
  uint64_t added_ = 0;
};

}  // namespace caracal::pipeline
