#pragma once

#include "absl/time/time.h"

namespace caracal::pipeline {

/// How long the coordinator lets a transaction live: as short as outputs can be carried in, as it
/// is also how long a crashed member keeps readers of its alerts, and who takes its partitions
/// over, waiting.
///
/// An epoch is never split, so one that a slow link, or a quota, cannot carry in time would be sent
/// again without end. Whenever a transaction has used up its time the next one has twice as long,
/// up to `longest`; once transactions take less than half of the shortest, that one holds again.
/// Not thread-safe.
class TransactionTimeout {
 public:
  /// The broker's default transaction.max.timeout.ms is 15 minutes, the client's default a minute.
  static constexpr absl::Duration kLongest = absl::Minutes(1);

  /// `shortest` > 0.
  explicit TransactionTimeout(absl::Duration shortest, absl::Duration longest = kLongest);

  absl::Duration current() const { return current_; }
  /// A transaction `took` so long. True: current() is another one now, for which the transactions
  /// that follow need a producer made anew.
  bool Adapt(bool committed, absl::Duration took);
  /// The broker allows no such timeout. False: there is no shorter one to try.
  bool Refused();

 private:
  bool Set(absl::Duration timeout);

  const absl::Duration shortest_;
  absl::Duration longest_;
  absl::Duration current_;
};

}  // namespace caracal::pipeline
