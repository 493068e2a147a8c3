#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// Keeps fetches going while the client's queue of fetched records is short.
///
/// librdkafka 2.0.2 looks at the length of that queue (`queued.min.messages`,
/// `queued.max.messages.kbytes`) when a fetch has been answered. When it is full, the thread of
/// that broker sleeps for a second, unless something wakes it, and taking records out does not: a
/// queue must either never run full, which at full speed lets it grow to gigabytes that are written
/// and read from memory, or its taker must wake the client. The one call that does nothing but this
/// is to set the credentials that the client has.
///
/// One thread at a time.
class FetchWaker {
 public:
  /// Whether setting the credentials anew changes nothing: they are not used, or known by name and
  /// password (PLAIN, SCRAM). Otherwise the queue must be one that does not run full.
  static bool WorksWith(const rd_kafka_conf_t* conf);

  /// `client` must live longer. Never wakes one with whose configuration that does not work.
  explicit FetchWaker(rd_kafka_t* client);

  /// After each read of `queue`, where the records of partitions come: what was taken out. Wakes
  /// the client when a fetch may have found the queue full before, and it no longer is.
  void Taken(size_t records, size_t bytes, rd_kafka_queue_t* queue);
  /// Nothing has come for a while although there is something: whatever has put the client to
  /// sleep, it looks again. At most ten times a second.
  void Nudge();

 private:
  void Wake();

  rd_kafka_t* const client_;
  std::string user_;
  std::string password_;
  size_t low_records_ = 0;   ///< fetched records below which the client is to fetch
  size_t step_records_ = 0;  ///< a queue that was full is below that when so many ...
  size_t step_bytes_ = 0;    ///< ... or so much has been taken out
  size_t records_ = 0;       ///< since the client was woken
  size_t bytes_ = 0;
  absl::Time woken_ = absl::InfinitePast();
};

}  // namespace caracal::pipeline
