#include "pipeline/emit/transaction_timeout.h"

#include <algorithm>
#include <utility>

namespace caracal::pipeline {

TransactionTimeout::TransactionTimeout(absl::Duration shortest, absl::Duration longest)
    : shortest_(shortest), longest_(std::max(shortest, longest)), current_(shortest) {}

bool TransactionTimeout::Adapt(bool committed, absl::Duration took) {
  if (committed) return took < shortest_ / 2 && Set(shortest_);
  // The client gives messages up when their time is over, by a clock of its own.
  return took >= current_ * 0.9 && Set(std::min(current_ * 2, longest_));
}

bool TransactionTimeout::Refused() {
  if (current_ == shortest_) return false;
  longest_ = std::max(shortest_, current_ / 2);
  return Set(longest_);
}

bool TransactionTimeout::Set(absl::Duration timeout) {
  return std::exchange(current_, timeout) != timeout;
}

}  // namespace caracal::pipeline
