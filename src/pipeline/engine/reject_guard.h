#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

namespace caracal::pipeline {

/// Notices a reject storm in one partition: more than 2,000 rejects among its last 10,000 records.
/// A storm is an upstream change (another format, a renamed column), not poison: dead-lettering all
/// of it would only move the topic. Ingest thread only; 1.2 KiB.
class RejectGuard {
 public:
  static constexpr size_t kWindowRecords = 10'000;
  static constexpr size_t kMaxRejects = 2'000;

  /// Notes one record; true when the partition is in a storm now.
  bool Note(bool rejected) {
    rejects_ -= window_[next_] ? 1 : 0;
    window_[next_] = rejected;
    rejects_ += rejected ? 1 : 0;
    next_ = next_ + 1 == kWindowRecords ? 0 : next_ + 1;
    return rejects_ > kMaxRejects;
  }
  /// Forgets everything: the operator has resumed the partition.
  void Reset() { *this = RejectGuard(); }

 private:
  std::bitset<kWindowRecords> window_;
  size_t next_ = 0;
  size_t rejects_ = 0;
};

}  // namespace caracal::pipeline
