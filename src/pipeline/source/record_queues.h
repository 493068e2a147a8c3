#pragma once

#include <cstddef>
#include <span>

#include "pipeline/kafka/fetch_waker.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/types/partition_lease.h"

namespace caracal::pipeline {

/// Fetched records of open partitions, in two queues: what is read of partitions that are up to
/// date does not wait for the backlog of those that have just moved here. A partition's records
/// come in order, across its move from one queue to the other.
///
/// Errors of the client come with the records, as messages. Both queues are bounded by the client's
/// settings, and kept from standing still (FetchWaker).
///
/// Threads: the ingest thread, but for Wake.
class RecordQueues {
 public:
  /// `client` must live longer.
  explicit RecordQueues(rd_kafka_t* client);

  /// Records of the partition come from now on, behind those of others. Returns its own queue.
  KafkaQueue Open(const PartitionLease& lease);
  /// All partitions that are behind: their records come with those of the others from now on.
  void MoveUp(std::span<rd_kafka_queue_t* const> behind);
  /// No record of a partition that is behind was left by the last Read: it is time to see whether
  /// these can move up.
  bool nothing_behind() const { return has_behind_ && nothing_behind_; }

  /// The last Read took as much as it may of partitions that are up to date.
  bool front_is_full() const { return front_is_full_; }

  /// Takes what is there, up to messages.size() >= 4; waits up to `timeout_ms` for the first. While
  /// both queues hold enough, one message in four is of a partition that is behind.
  size_t Read(int timeout_ms, std::span<rd_kafka_message_t*> messages);
  /// Ends a Read that waits; one that does not wait yet returns at once, or within 2 ms while
  /// partitions are behind. Any thread.
  void Wake() { rd_kafka_queue_yield(front_.queue.get()); }

 private:
  struct Queue {
    KafkaQueue queue;
    FetchWaker waker;
  };

  static size_t Take(Queue& from, int timeout_ms, std::span<rd_kafka_message_t*> messages);

  rd_kafka_t* const client_;
  Queue front_;
  Queue behind_;
  bool has_behind_ = false;
  bool nothing_behind_ = false;
  bool front_is_full_ = false;
  /// Messages of behind_ that are older than what comes to front_, since partitions moved up.
  size_t rest_ = 0;
};

}  // namespace caracal::pipeline
